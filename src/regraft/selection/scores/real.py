"""How far off: the scores of numbers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...domain import Domain
from ...intervals import Interval, mean_of
from ...output import Real
from ...output.entries import known_entries, mean_of_known
from .of_ratios import OfRatios
from .ratios import Ratios


@final
@dataclass(frozen=True, eq=False)
class RealScores(OfRatios):
    """R² and its relative for absolute errors, each the mean over the numbers that are asked for.

    R² = 1 − Σ (y − ŷ)² / Σ (y − ȳ)², D² = 1 − Σ |y − ŷ| / Σ |y − median|, over the known entries of the
    judged samples: 1 is perfect, and 0 what always the mean (the median) of the very same samples gets.

    error: y − ŷ for each repeat, sample and number, 0 where y is unknown. known: 1 where it is known.
    predicted: the mean over the repeats. loss: the mean of (y − ŷ)² in units of the variance.
    """

    kind: ClassVar[str] = Real.kind
    lowest: ClassVar[float] = -float("inf")

    error: Float[Tensor, "r n k"]
    y: Float[Tensor, "n k"]
    known: Float[Tensor, "n k"]
    predicted: Float[Tensor, "n k"]
    group: Int[Tensor, " n"] | None
    output: Real
    overlap: float = 0.0

    @classmethod
    def of(cls, expected: Float[Tensor, "r n k"], labelled: Domain, overlap: float) -> "RealScores":
        """From r repeats of values; one that is no number counts as far off as the farthest y."""
        assert isinstance(labelled.output, Real)
        y, known = labelled.labels, known_entries(labelled.labels, labelled.observed)
        worst = (y.amax(0) - y.amin(0)) * 2 + 1
        predicted = torch.where(expected.isfinite(), expected.double(), y + worst)
        error = (y - predicted) * known
        return cls(error, y, known, predicted.mean(0), labelled.group, labelled.output, overlap)

    @property
    def metrics(self) -> tuple[str, ...]:
        return Real.metrics

    @cached_property
    def loss(self) -> float:  # type: ignore[override]
        return 1 - self.ratios("r2").value

    def ratios(self, metric: str) -> Ratios:
        """The metric as a mean of ratios, a part for each number."""
        if metric == "r2":
            spread, off = self._around(self._means).square(), self.error.square()
        else:
            spread, off = self._around(self._medians).abs(), self.error.abs()
        below = spread.expand(len(off), -1, -1)
        return Ratios(below - off, below)

    def absolute(self) -> dict[str, Interval]:
        """The mean absolute error of each number of which something is known, in its unit."""
        return {name: self._mean(self.error[:, :, i].abs(), i) for i, name in self._numbers()}

    def root_mean_square(self) -> dict[str, Interval]:
        """The root of the mean squared error of each number of which something is known, in its unit."""
        found = {}
        for i, name in self._numbers():
            square = self._mean(self.error[:, :, i].square(), i)
            found[name] = Interval(square.value**0.5, square.low**0.5, square.high**0.5)
        return found

    def off(self) -> Float[Tensor, " n"]:
        """How far off each sample is: the root of the mean square, in standard deviations of each number."""
        spread = self._around(self._means).square().sum(0).div(self.known.sum(0).clamp_min(1)).sqrt()
        off = self.error.mean(0) / spread.where(spread > 0, 1.0)
        return mean_of_known(off.square(), self.known > 0).sqrt()

    def of_each(self) -> dict[str, float]:
        """R² of each number; NaN where all that is known of it is the same."""
        off, spread = self.error.square().mean(0).sum(0), self._around(self._means).square().sum(0)
        return dict(zip(self.output.names, (1 - off / spread).tolist(), strict=True))

    def measures(self) -> dict[str, str]:
        told = super().measures()
        for title, found in (("MAE", self.absolute()), ("RMSE", self.root_mean_square())):
            for i, name in self._numbers():
                called = title if self.output.width == 1 else f"{title} of {name}"
                told[called] = f"{found[name].in_digits()}{self.output.unit(i)}"
        return told

    def columns(self) -> dict[str, str]:
        told = super().measures()
        if self.output.width == 1:
            (error,) = self.absolute().values()
            return {**told, "MAE": f"{error.value:.4g}{self.output.unit(0)}"}
        each = self.of_each()
        worst = min(each, key=lambda name: (each[name] != each[name], each[name]))
        return {**told, "worst R²": f"{each[worst]:.2f} {worst[:18]}"}

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {metric: self.interval(metric).to_json() for metric in self.metrics}
        return {
            **told,
            "judged": len(self),
            "loss": self.loss,
            "r2_of_each": {name: None if v != v else v for name, v in self.of_each().items()},
            "mae": {name: i.to_json() for name, i in self.absolute().items()},
            "rmse": {name: i.to_json() for name, i in self.root_mean_square().items()},
        }

    def _around(self, centre: Float[Tensor, " k"]) -> Float[Tensor, "n k"]:
        return (self.y - centre) * self.known

    @cached_property
    def _means(self) -> Float[Tensor, " k"]:
        return (self.y * self.known).sum(0) / self.known.sum(0).clamp_min(1)

    @cached_property
    def _medians(self) -> Float[Tensor, " k"]:
        return self.y.where(self.known > 0, torch.nan).nanquantile(0.5, 0).nan_to_num(0.0)

    def _numbers(self) -> list[tuple[int, str]]:
        return [(i, name) for i, name in enumerate(self.output.names) if self.known[:, i].any()]

    def _mean(self, values: Float[Tensor, "r n"], i: int) -> Interval:
        known = self.known[:, i] > 0
        group = None if self.group is None else self.group[known]
        return mean_of(values.mean(0)[known], group, self.overlap).within(0.0, float("inf"))
