"""Which labels were told: the scores of several labels at once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...domain import Domain
from ...intervals import Interval
from ...output import MultiLabel
from ...output.entries import known_entries, mean_of_known
from ..resampling import resampled
from .of_ratios import OfRatios
from .ratios import Ratios


@final
@dataclass(frozen=True, eq=False)
class LabelScores(OfRatios):
    """How many of the known entries were told right, and how well each label is found.

    label accuracy: the share of all known entries (1 − the Hamming loss). balanced label accuracy: for each
    label the mean of the shares right where it applies and where it does not, then the mean over labels; what
    says the same of all gets 0.5 of it. A choice is made by one of these, because each sample has its part in
    them. Told besides: F1, 2 tp/(2 tp + fp + fn), and the average precision, each the mean over labels.

    p: P(label | sample) of each repeat. y: whether it applies. known: 1 where that is known.
    """

    kind: ClassVar[str] = MultiLabel.kind

    p: Float[Tensor, "r n k"]
    y: Float[Tensor, "n k"]
    known: Float[Tensor, "n k"]
    group: Int[Tensor, " n"] | None
    names: tuple[str, ...]
    overlap: float = 0.0

    @classmethod
    def of(cls, expected: Float[Tensor, "r n k"], labelled: Domain, overlap: float) -> "LabelScores":
        """From r repeats of probabilities; one that is not a number is that of the wrong answer."""
        y, known = labelled.labels, known_entries(labelled.labels, labelled.observed)
        p = torch.where(expected.isfinite(), expected.double(), 1 - y)
        return cls(p, y, known, labelled.group, labelled.asked.names, overlap)

    @property
    def metrics(self) -> tuple[str, ...]:
        return MultiLabel.metrics

    @property
    def predicted(self) -> Float[Tensor, "n k"]:
        """1 for the labels that are more probable than not, by the mean over the repeats."""
        return (self.p.mean(0) > 0.5).double()

    @cached_property
    def loss(self) -> float:  # type: ignore[override]
        return float((self._log_losses() * self.known).sum() / self.known.sum())

    def off(self) -> Float[Tensor, " n"]:
        """The log loss of each sample, the mean over the labels that are known of it."""
        return mean_of_known(self._log_losses(), self.known > 0)

    def _log_losses(self) -> Float[Tensor, "n k"]:
        return -torch.where(self.y > 0.5, self.p, 1 - self.p).clamp_min(1e-12).log().mean(0)

    def ratios(self, metric: str) -> Ratios:
        """The metric as a mean of ratios: one part in all, one for each label, or two for each label."""
        said = (self.p > 0.5).double()
        right = (said == self.y).double() * self.known
        if metric == "label_accuracy":
            known = self.known.sum(1, keepdim=True).expand(len(self.p), -1, -1)
            return Ratios(right.sum(2, keepdim=True), known)
        if metric == "balanced_label_accuracy":
            of = torch.cat([self.known * self.y, self.known * (1 - self.y)], 1)
            return Ratios(torch.cat([right, right], 2) * of, of.expand(len(self.p), -1, -1))
        both = 2 * said * self.y * self.known
        return Ratios(both, (said + self.y) * self.known)

    def average_precision(self) -> Interval:
        """mAP: the mean over labels of the mean precision at each sample that has the label, most probable
        first, with an interval from resamples of the samples."""
        times = resampled(len(self), self.group, np.random.default_rng(0))
        drawn = average_precisions(self.p.mean(0), self.y, self.known, times)
        value = float(average_precisions(self.p.mean(0), self.y, self.known, times.new_ones(1, len(self))))
        half = 1.96 * float(drawn.std()) * (1 + 2 * self.overlap) ** 0.5
        return Interval(value, value - half, value + half).within(0.0, 1.0)

    def of_each(self) -> dict[str, float]:
        """F1 of each label; NaN where it neither applied nor was told."""
        both = self.ratios("f1")
        each = both.above.mean(0).sum(0) / both.below.mean(0).sum(0)
        return dict(zip(self.names, each.tolist(), strict=True))

    def measures(self) -> dict[str, str]:
        return {
            **super().measures(),
            "F1": str(self.interval("f1")),
            "average precision": str(self.average_precision()),
        }

    def columns(self) -> dict[str, str]:
        return {**super().measures(), "F1": f"{self.value('f1'):.2f}"}

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {metric: self.interval(metric).to_json() for metric in (*self.metrics, "f1")}
        return {
            **told,
            "average_precision": self.average_precision().to_json(),
            "judged": len(self),
            "log_loss": self.loss,
            "f1_of_each": {name: None if v != v else v for name, v in self.of_each().items()},
        }


def average_precisions(
    p: Float[Tensor, "n k"], y: Float[Tensor, "n k"], known: Float[Tensor, "n k"], times: Float[Tensor, "b n"]
) -> Float[Tensor, " b"]:
    """The mean over labels of Σᵢ yᵢ precisionᵢ / Σᵢ yᵢ, where the samples count as often as `times` says.

    Labels that apply to none have no say. Equal probabilities stand in the order of the samples.

    >>> p, y = torch.tensor([[0.9], [0.8], [0.1]]), torch.tensor([[1.0], [0.0], [1.0]])
    >>> average_precisions(p, y, torch.ones(3, 1), torch.ones(1, 3))  # (1 + 2/3) / 2
    tensor([0.8333])
    """
    total = times.new_zeros(len(times))
    labels = times.new_zeros(len(times))
    for order, column, seen in zip(
        p.T.argsort(dim=1, descending=True, stable=True), y.T, known.T, strict=True
    ):
        weight = times[:, order] * seen[order]
        hits = weight * column[order]
        precision = hits.cumsum(1) / weight.cumsum(1).clamp_min(1e-12)
        here = hits.sum(1) > 0
        total += torch.where(here, (precision * hits).sum(1) / hits.sum(1).clamp_min(1e-12), 0.0)
        labels += here
    return total / labels.clamp_min(1)
