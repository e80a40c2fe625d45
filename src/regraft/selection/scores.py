"""What predictions are worth: one place for every score, whoever predicted."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..domain import Domain
from ..errors import InputError, near
from .intervals import Interval, paired_gain, share

METRICS = ("accuracy", "balanced_accuracy")
LISTED = 50  # classes up to which the confusion of all with all is worth its room


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

    right: for each repeat and each judged sample 1 where the prediction was right and 0 where it was not.
    y: the sample's class. group: its group, where there are groups. predicted: the class with the largest
    mean probability. loss: the mean log loss over all predictions. overlap: 0 if one model predicted all, and
    for folds the size of one over that of the rest (see `intervals.share`).
    """

    right: Float[Tensor, "r n"]
    y: Int[Tensor, " n"]
    group: Int[Tensor, " n"] | None
    predicted: Int[Tensor, " n"]
    loss: float
    names: tuple[str, ...]
    overlap: float = 0.0

    @classmethod
    def of(
        cls,
        probabilities: Float[Tensor, "r n k"],
        labelled: Domain,
        judged: Bool[Tensor, " n"] | None = None,
        overlap: float = 0.0,
    ) -> "Scores":
        """From r repeats of predictions; `judged` says which samples count, all if it is not given.

        A prediction that is not a number is a wrong one.
        """
        if judged is None:
            judged = torch.ones(len(labelled), dtype=torch.bool)
        p, y = probabilities[:, judged].nan_to_num(0.0), labelled.labels[judged]
        chance = p.gather(2, y.expand(len(p), -1)[:, :, None]).squeeze(2)
        return cls(
            right=((p.argmax(2) == y) & (chance > 0)).double(),
            y=y,
            group=None if labelled.group is None else labelled.group[judged],
            predicted=p.mean(0).argmax(1),
            loss=float(-chance.clamp_min(1e-12).log().mean()),
            names=labelled.classes.names,
            overlap=overlap,
        )

    @cached_property
    def correct(self) -> Float[Tensor, " n"]:
        """For each judged sample the share of its predictions that were right."""
        return self.right.mean(0)

    def interval(self, metric: str) -> Interval:
        """The metric with its 95 % interval."""
        return share(self.correct, self.stratum(metric), self.group, self.overlap)

    def value(self, metric: str) -> float:
        """Accuracy, or the mean of the recalls of the classes that were judged."""
        if metric == "accuracy":
            return float(self.correct.mean())
        count = torch.bincount(self.y)
        recall = torch.bincount(self.y, self.correct)[count > 0] / count[count > 0]
        return float(recall.mean())

    def gain_over(self, other: "Scores", metric: str) -> Interval:
        """The paired difference of the metric on the same samples and folds, between its bounds."""
        repeats = min(len(self.right), len(other.right))
        ours, theirs = self.right[:repeats].mean(0), other.right[:repeats].mean(0)
        return paired_gain(ours, theirs, self.stratum(metric), self.group)

    def recalls(self) -> dict[str, Interval | None]:
        """The recall of every class, or None where none of it was judged."""
        found: dict[str, Interval | None] = dict.fromkeys(self.names)
        for c in self.y.unique().tolist():
            mine = self.y == c
            group = None if self.group is None else self.group[mine]
            every = torch.zeros_like(self.y[mine])
            found[self.names[c]] = share(self.correct[mine], every, group, self.overlap)
        return found

    def confusion(self) -> Int[Tensor, "k k"]:
        """How many samples of each class (row) were taken for each class (column)."""
        k = len(self.names)
        return torch.bincount(self.y * k + self.predicted, minlength=k * k).reshape(k, k)

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {metric: self.interval(metric).to_json() for metric in METRICS}
        told |= {"log_loss": self.loss, "judged": len(self.y)}
        told["recall"] = {name: r and r.to_json() for name, r in self.recalls().items()}
        if len(self.names) <= LISTED:
            told["confusion"] = self.confusion().tolist()
        return told

    def stratum(self, metric: str) -> Int[Tensor, " n"]:
        """The samples that are averaged before the strata are: all, or those of a class."""
        return torch.zeros_like(self.y) if metric == "accuracy" else self.y


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
