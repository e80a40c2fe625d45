"""What judges without target labels look at: a candidate, fitted to a part of the source."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...domain import Domain
from ...method import Both
from ...problem import Problem
from ...seeds import seed_of


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Samples of the source that a candidate did not learn from, and what it says of them.

    samples: with their labels. said: log P(class | sample), as the recipe sees its source. ratio: p_target /
    p_source at these samples, of mean 1 over the whole source. features: as `Trial.features`; both are the
    same for all candidates.
    """

    samples: Domain
    said: Float[Tensor, "h k"]
    ratio: Float[Tensor, " h"]
    features: Float[Tensor, "h d"]

    @property
    def right(self) -> Bool[Tensor, " h"]:
        """Which of the samples the candidate tells right."""
        return self.said.argmax(1) == self.samples.labels


@dataclass(frozen=True, eq=False)
class Trial:
    """A candidate fitted to the kept part of the source and to the target, and what it says.

    problem: the kept source and the target, as they are at the cut. of_target: log P(class | sample) of the
    target's samples. features: of the same samples, as the frozen network of the first candidate gives them,
    or their principal components; they are the same for all candidates. fitted: the models. refit: the
    candidate's recipe on another problem at the same cut. held_out: what it says of the other samples of the
    source; None where nothing is left of the source but a model. others: what rival candidates say of the
    target. seed: of what a judge draws. seconds: what the fit took.
    """

    problem: Problem
    of_target: Float[Tensor, "m k"]
    features: Float[Tensor, "m d"]
    fitted: Both
    refit: Callable[[Problem], Both]
    held_out: HeldOut | None = None
    others: Sequence[Float[Tensor, "m k"]] = field(default_factory=tuple)
    seed: int = 0
    seconds: float = 0.0

    def some(self, most: int) -> Int[Tensor, " r"]:
        """Rows of the target: all of them, or of more than `most` as many that the seed draws."""
        luck = torch.Generator().manual_seed(seed_of(self.seed, "some of the target"))
        return torch.randperm(len(self.of_target), generator=luck)[:most].sort().values


class LabelFree(ABC):
    """A score of a candidate that no label of the target goes into; higher is better.

    kind: what it goes by: "source" (labels of the source), "certainty" (of what is said of the target),
    "reverse" (the way back), "agreement" (with rivals), "clusters" (of the target's features),
    "predictability" (of its answers from each other). Two scores of one kind mostly err together. ranks:
    whether it may choose among methods; where it may not, it has been seen to prefer those that collapsed,
    and is there to be looked at. reference: where it comes from. warning: when it is known to mislead.

    short: what a narrow column calls it, where its name is long. refits: whether it fits the candidate's
    recipe again. asks_source: whether it looks at samples of the source (`Trial.held_out`), without which it
    cannot be asked. It is NaN where a candidate cannot be judged in that way.
    """

    name: ClassVar[str]
    short: ClassVar[str] = ""
    kind: ClassVar[str]
    ranks: ClassVar[bool] = True
    refits: ClassVar[bool] = False
    asks_source: ClassVar[bool] = False
    reference: ClassVar[str] = ""
    warning: ClassVar[str] = ""

    @abstractmethod
    def __call__(self, trial: Trial) -> float:
        """The score of the candidate of this trial."""
