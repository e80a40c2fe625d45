"""Right or wrong: the scores of named classes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...domain import Domain
from ...intervals import Interval, paired_gain, share
from ...output import Classes
from .scores import Scores

LISTED = 50  # classes up to which the confusion of all with all is worth its room


@final
@dataclass(frozen=True, eq=False)
class ClassScores(Scores):
    """Which samples were judged right, and how the judged samples belong together.

    right: for each repeat and each judged sample 1 where the prediction was right and 0 where it was not.
    y: the sample's class. predicted: the class with the largest mean probability. loss: the mean log loss
    over all predictions.
    """

    kind: ClassVar[str] = Classes.kind

    right: Float[Tensor, "r n"]
    y: Int[Tensor, " n"]
    group: Int[Tensor, " n"] | None
    predicted: Int[Tensor, " n"]
    loss: float
    names: tuple[str, ...]
    overlap: float = 0.0

    @classmethod
    def of(cls, expected: Float[Tensor, "r n k"], labelled: Domain, overlap: float) -> "ClassScores":
        """From r repeats of probabilities; a prediction that is not a number is a wrong one."""
        p, y = expected.nan_to_num(0.0), labelled.labels
        chance = p.gather(2, y.expand(len(p), -1)[:, :, None]).squeeze(2)
        return cls(
            right=((p.argmax(2) == y) & (chance > 0)).double(),
            y=y,
            group=labelled.group,
            predicted=p.mean(0).argmax(1),
            loss=float(-chance.clamp_min(1e-12).log().mean()),
            names=labelled.classes.names,
            overlap=overlap,
        )

    @property
    def metrics(self) -> tuple[str, ...]:
        return Classes.metrics

    @cached_property
    def correct(self) -> Float[Tensor, " n"]:
        """For each judged sample the share of its predictions that were right."""
        return self.right.mean(0)

    def interval(self, metric: str) -> Interval:
        return share(self.correct, self.stratum(metric), self.group, self.overlap)

    def value(self, metric: str) -> float:
        """Accuracy, or the mean of the recalls of the classes that were judged."""
        if metric == "accuracy":
            return float(self.correct.mean())
        count = torch.bincount(self.y)
        recall = torch.bincount(self.y, self.correct)[count > 0] / count[count > 0]
        return float(recall.mean())

    def gain_over(self, other: "ClassScores", metric: str) -> Interval:
        repeats = min(len(self.right), len(other.right))
        ours, theirs = self.right[:repeats].mean(0), other.right[:repeats].mean(0)
        return paired_gain(ours, theirs, self.stratum(metric), self.group)

    def values(self, metric: str, times: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        member = torch.nn.functional.one_hot(self.stratum(metric)).double()
        right, count = times @ (self.correct[:, None] * member), times @ member
        here = count > 0
        mean: Tensor = (right / count.clamp_min(1) * here).sum(1) / here.sum(1).clamp_min(1)
        return mean

    def columns(self) -> dict[str, str]:
        recalls = {name: i for name, i in self.recalls().items() if i is not None}
        worst = min(recalls, key=lambda name: recalls[name].value)
        return {
            **self.measures(),
            "worst recall": f"{recalls[worst].value:.2f} {worst[:18]}",
        }

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
        told: dict[str, Any] = {metric: self.interval(metric).to_json() for metric in self.metrics}
        told |= {"log_loss": self.loss, "judged": len(self.y)}
        told["recall"] = {name: r and r.to_json() for name, r in self.recalls().items()}
        if len(self.names) <= LISTED:
            told["confusion"] = self.confusion().tolist()
        return told

    def stratum(self, metric: str) -> Int[Tensor, " n"]:
        """The samples that are averaged before the strata are: all, or those of a class."""
        return torch.zeros_like(self.y) if metric == "accuracy" else self.y
