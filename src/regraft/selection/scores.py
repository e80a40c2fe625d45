"""What predictions are worth: one place for every score, whoever predicted."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..domain import Domain
from ..errors import InputError, near
from .intervals import Interval, paired_gain, per_unit, share

METRICS = ("accuracy", "balanced_accuracy")


def metric_named(name: str) -> str:
    """
    >>> metric_named("balanced-accuracy")
    'balanced_accuracy'
    """
    known = name.lower().replace("-", "_").replace(" ", "_")
    if known not in METRICS:
        raise InputError(
            f"metric {name!r} is unknown{near(known, list(METRICS))}; there are {', '.join(METRICS)}"
        )
    return known


@dataclass(frozen=True, eq=False)
class Scores:
    """Which samples were judged right, and how the judged samples belong together.

    correct: for each judged sample the share of its tests that were right. y: its class. unit: its group,
    or itself. predicted: the class that won most of its tests. loss: the mean log loss over all tests.
    """

    correct: Float[Tensor, " n"]
    y: Int[Tensor, " n"]
    unit: Int[Tensor, " n"]
    predicted: Int[Tensor, " n"]
    loss: float
    names: tuple[str, ...]

    @classmethod
    def of(cls, probabilities: Float[Tensor, "r n k"], labelled: Domain) -> "Scores":
        """From r repeats of predictions; rows of NaN were not tested."""
        tested = ~probabilities.isnan().any(2).all(0)
        p, y = probabilities[:, tested], labelled.labels[tested]
        seen = ~p.isnan().any(2)
        right = (p.argmax(2) == y) & seen
        chance = p.gather(2, y.expand(len(p), -1)[:, :, None]).squeeze(2)
        unit = torch.arange(len(labelled)) if labelled.group is None else labelled.group
        return cls(
            correct=right.sum(0) / seen.sum(0),
            y=y,
            unit=unit[tested],
            predicted=p.nan_to_num(0.0).mean(0).argmax(1),
            loss=float(-chance[seen].clamp_min(1e-12).log().mean()),
            names=labelled.classes.names,
        )

    def interval(self, metric: str) -> Interval:
        """The metric with its 95 % interval."""
        correct, stratum = self._units(self.correct, metric)
        value = share(correct, stratum)
        return Interval(
            self.value(metric), min(value.low, self.value(metric)), max(value.high, self.value(metric))
        )

    def value(self, metric: str) -> float:
        """Accuracy, or the mean of the recalls of the classes that were judged."""
        if metric == "accuracy":
            return float(self.correct.mean())
        classes = self.y.unique().tolist()
        return sum(float(self.correct[self.y == c].mean()) for c in classes) / len(classes)

    def gain_over(self, other: "Scores", metric: str) -> Interval:
        """The paired difference of the metric on the same samples, between two bounds of 95 % each."""
        ours, stratum = self._units(self.correct, metric)
        theirs, _ = other._units(other.correct, metric)
        gain = paired_gain(ours, theirs, stratum)
        value = self.value(metric) - other.value(metric)
        return Interval(value, min(gain.low, value), max(gain.high, value))

    def recalls(self) -> dict[str, Interval | None]:
        """The recall of every class, or None where none of it was judged."""
        found: dict[str, Interval | None] = dict.fromkeys(self.names)
        for c in self.y.unique().tolist():
            mine = self.y == c
            units = per_unit(self.correct[mine], self.unit[mine])
            found[self.names[c]] = share(units, torch.zeros(len(units), dtype=torch.long))
        return found

    def confusion(self) -> Int[Tensor, "k k"]:
        """How many samples of each class (row) were taken for each class (column)."""
        k = len(self.names)
        return torch.bincount(self.y * k + self.predicted, minlength=k * k).reshape(k, k)

    def to_json(self) -> dict[str, Any]:
        return {
            **{metric: self.interval(metric).to_json() for metric in METRICS},
            "log_loss": self.loss,
            "judged": len(self.y),
            "recall": {name: r and r.to_json() for name, r in self.recalls().items()},
            "confusion": self.confusion().tolist(),
        }

    def _units(self, values: Tensor, metric: str) -> tuple[Tensor, Tensor]:
        """One value and one stratum for each independent unit."""
        if metric == "accuracy":
            units = per_unit(values, self.unit)
            return units, torch.zeros(len(units), dtype=torch.long)
        both = self.y * (int(self.unit.max()) + 1) + self.unit
        return per_unit(values, both), per_unit(self.y.double(), both).long()


def evaluate(model: Any, labelled: Domain) -> Scores:
    """The scores of a fitted model on labelled samples that it has not seen; classes match by name."""
    names = model.output.names
    if unknown := sorted(set(labelled.classes.names) - set(names)):
        raise InputError(
            f"labels {unknown[:5]} are not among the model's classes {list(names)[:10]}: "
            "evaluate on the classes that it was fitted with"
        )
    y = model.output.encode(labelled.classes.decode(labelled.labels))
    renamed = labelled.with_(y=y, output=model.output)
    return Scores.of(model.probabilities(labelled)[None], renamed)
