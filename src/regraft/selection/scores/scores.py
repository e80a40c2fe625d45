"""What scores have in common, whatever kind of answer was scored."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from jaxtyping import Float, Int, Shaped
from torch import Tensor

from ...domain import Domain
from ...intervals import Interval
from ...output.metrics import title


class Scores(ABC):
    """How good predictions were, of the samples that count.

    y: what was asked of each sample. group: its group, where there are groups. loss: the mean loss of all
    predictions, by which equal scores are told apart. overlap: 0 if one model predicted all, and for folds
    the size of one over that of the rest (see `intervals.share`).

    Every metric is at most 1, and higher is better: accuracies, shares that are explained or overlap.
    """

    kind: ClassVar[str]
    lowest: ClassVar[float] = 0.0  # of any metric

    y: Shaped[Tensor, "n ..."]
    group: Int[Tensor, " n"] | None
    loss: float
    overlap: float

    @classmethod
    @abstractmethod
    def of(cls, expected: Float[Tensor, "r n k"], labelled: Domain, overlap: float) -> "Scores":
        """From r repeats of predictions of labelled samples."""

    def __len__(self) -> int:
        return len(self.y)

    @property
    @abstractmethod
    def metrics(self) -> tuple[str, ...]:
        """What may be asked of it."""

    @abstractmethod
    def value(self, metric: str) -> float:
        """The metric."""

    @abstractmethod
    def interval(self, metric: str) -> Interval:
        """The metric with its 95 % interval."""

    @abstractmethod
    def gain_over(self, other: Any, metric: str) -> Interval:
        """The paired difference of the metric on the same samples, between its bounds."""

    @abstractmethod
    def values(self, metric: str, times: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """The metric where the samples count as often as that, for each of b resamples."""

    def measures(self) -> dict[str, str]:
        """The metrics, and whatever else is measured, by title."""
        return {title(metric): str(self.interval(metric)) for metric in self.metrics}

    def columns(self) -> dict[str, str]:
        """What a table of candidates says of them, by title."""
        return self.measures()

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """All of them, JSON-able."""
