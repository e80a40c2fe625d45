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
class Trial:
    """A candidate fitted to the kept part of the source and to the target, and what it says.

    problem: the kept source and the target, as they are at the cut. held_out: the other samples of the
    source, with their labels. of_target, of_held_out: log P(class | sample) of the target's samples and of
    the held-out ones; the latter as the recipe sees its source. ratio: p_target / p_source at the held-out
    samples, of mean 1 over the whole source. features, held_out_features: of the same samples, as the frozen
    network of the first candidate gives them, or their principal components; like the ratio they are the same
    for all candidates. fitted: the models. refit: the candidate's recipe on another problem at the same cut.
    others: what rival candidates say of the target. seed: of what a judge draws. seconds: what the fit took.
    """

    problem: Problem
    held_out: Domain
    of_target: Float[Tensor, "m k"]
    of_held_out: Float[Tensor, "h k"]
    ratio: Float[Tensor, " h"]
    features: Float[Tensor, "m d"]
    held_out_features: Float[Tensor, "h d"]
    fitted: Both
    refit: Callable[[Problem], Both]
    others: Sequence[Float[Tensor, "m k"]] = field(default_factory=tuple)
    seed: int = 0
    seconds: float = 0.0

    @property
    def right(self) -> Bool[Tensor, " h"]:
        """Which of the held-out samples the candidate tells right."""
        return self.of_held_out.argmax(1) == self.held_out.labels

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
    recipe again. It is NaN where a candidate cannot be judged in that way.
    """

    name: ClassVar[str]
    short: ClassVar[str] = ""
    kind: ClassVar[str]
    ranks: ClassVar[bool] = True
    refits: ClassVar[bool] = False
    reference: ClassVar[str] = ""
    warning: ClassVar[str] = ""

    @abstractmethod
    def __call__(self, trial: Trial) -> float:
        """The score of the candidate of this trial."""
