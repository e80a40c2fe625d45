"""What a model says of samples."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from jaxtyping import Bool, Float
from torch import Tensor


class Answers(ABC):
    """For each of n samples an answer, and how sure it is.

    label: what the model says, as the user calls it. novelty: how far the sample is from everything labelled;
    above 1 it is unlike them. accepted: whether the answer stands, or is "not sure". What tells how sure
    answers are is None where the model was fitted without a judge, whose held-out predictions it needs.
    """

    label: list[Any]
    novelty: Float[Tensor, " n"] | None

    @property
    @abstractmethod
    def accepted(self) -> Bool[Tensor, " n"] | None:
        """Which answers stand."""

    @abstractmethod
    def header(self) -> list[str]:
        """The titles of `cells`."""

    @abstractmethod
    def cells(self, i: int) -> list[str]:
        """The answer to a sample, as cells of a table."""

    @property
    @abstractmethod
    def chances(self) -> Float[Tensor, "n k"] | None:
        """The probability of every name; None where nothing is named."""

    def sureness(self, i: int) -> list[str]:
        """Whether the answer is accepted, and its novelty, as cells."""
        if self.accepted is None or self.novelty is None:
            return ["", ""]
        return ["yes" if self.accepted[i] else "no", f"{self.novelty[i]:.3f}"]

    def __len__(self) -> int:
        return len(self.label)


@final
@dataclass(frozen=True, eq=False)
class ClassAnswers(Answers):
    """One class for each sample, the most probable.

    probabilities: of every class, n × k; probability: of the label. plausible: n × k, the classes that the
    conformal prediction cannot rule out, often one, and none where no class is as probable as true ones were.
    accepted: exactly one class is plausible and the sample is not novel.
    """

    label: list[str]
    probabilities: Float[Tensor, "n k"]
    plausible: Bool[Tensor, "n k"] | None = None
    novelty: Float[Tensor, " n"] | None = None

    @property
    def probability(self) -> Float[Tensor, " n"]:
        if len(self.probabilities) == 0:
            return self.probabilities.sum(1)
        return self.probabilities.max(1).values

    @property
    def accepted(self) -> Bool[Tensor, " n"] | None:
        if self.plausible is None or self.novelty is None:
            return None
        return (self.plausible.sum(1) == 1) & (self.novelty <= 1)

    @property
    def chances(self) -> Float[Tensor, "n k"]:
        return self.probabilities

    def header(self) -> list[str]:
        return ["label", "probability", "accepted", "novelty"]

    def cells(self, i: int) -> list[str]:
        return [self.label[i], f"{self.probability[i]:.6f}", *self.sureness(i)]


@final
@dataclass(frozen=True, eq=False)
class RealAnswers(Answers):
    """One or several numbers for each sample, called `names`.

    value: n × k. low, high: the ends of the interval that the conformal prediction gives, infinite where
    there were too few held-out predictions. accepted: the sample is not novel.
    """

    label: list[Any]
    names: Sequence[str]
    value: Float[Tensor, "n k"]
    low: Float[Tensor, "n k"] | None = None
    high: Float[Tensor, "n k"] | None = None
    novelty: Float[Tensor, " n"] | None = None

    @property
    def accepted(self) -> Bool[Tensor, " n"] | None:
        return None if self.novelty is None else self.novelty <= 1

    @property
    def chances(self) -> None:
        return None

    def header(self) -> list[str]:
        of_each = [f"{name}{end}" for name in self.names for end in ("", " low", " high")]
        return [*of_each, "accepted", "novelty"]

    def cells(self, i: int) -> list[str]:
        made = []
        for j in range(self.value.shape[1]):
            made.append(f"{self.value[i, j]:.6g}")
            for end in (self.low, self.high):
                known = end is not None and bool(end[i, j].isfinite())
                made.append(f"{end[i, j]:.6g}" if end is not None and known else "")
        return [*made, *self.sureness(i)]


@final
@dataclass(frozen=True, eq=False)
class LabelAnswers(Answers):
    """The labels that apply to each sample, of `names`.

    probabilities: of every label, n × k. plausible: n × k × 2, whether the conformal prediction cannot rule
    out that the label does not apply, and that it does. accepted: of every label one of the two is ruled out,
    and the sample is not novel.
    """

    label: list[list[str]]
    names: Sequence[str]
    probabilities: Float[Tensor, "n k"]
    plausible: Bool[Tensor, "n k 2"] | None = None
    novelty: Float[Tensor, " n"] | None = None

    @property
    def accepted(self) -> Bool[Tensor, " n"] | None:
        if self.plausible is None or self.novelty is None:
            return None
        return (self.plausible.sum(2) == 1).all(1) & (self.novelty <= 1)

    @property
    def chances(self) -> Float[Tensor, "n k"]:
        return self.probabilities

    def unsettled(self, i: int) -> list[str]:
        """The labels of which it is plausible both that they apply and that they do not, or neither."""
        if self.plausible is None:
            return []
        open_ = (self.plausible[i].sum(1) != 1).tolist()
        return [name for name, unsure in zip(self.names, open_, strict=True) if unsure]

    def header(self) -> list[str]:
        return ["labels", "not sure of", "accepted", "novelty"]

    def cells(self, i: int) -> list[str]:
        return [";".join(self.label[i]), ";".join(self.unsettled(i)), *self.sureness(i)]
