"""What judges without target labels look at: a candidate, fitted to a part of the source."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from ...domain import Domain
from ...method import Both
from ...problem import Problem


@dataclass(frozen=True, eq=False)
class Trial:
    """A candidate fitted to the kept part of the source and to the target, and what it says.

    problem: the kept source and the target, as they are at the cut. held_out: the other samples of the
    source, with their labels. of_target, of_held_out: log P(class | sample) of the target's samples and of
    the held-out ones; the latter as the recipe sees its source. ratio: p_target / p_source at the held-out
    samples, of mean 1, the same for all candidates. features, held_out_features: of the same samples, as the
    frozen network gives them, the same for all candidates on one network. fitted: the models. refit: the
    candidate's recipe on another problem at the same cut. others: what rival candidates say of the target.
    seed: of what a judge draws.
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


class LabelFree(ABC):
    """A score of a candidate that no label of the target goes into; higher is better.

    kind: what it goes by: "source" (labels of the source), "certainty" (of what is said of the target),
    "reverse" (the way back), "agreement" (with rivals). Two scores of one kind mostly err together.
    reference: where it comes from. warning: when it is known to mislead.
    """

    name: ClassVar[str]
    kind: ClassVar[str]
    reference: ClassVar[str] = ""
    warning: ClassVar[str] = ""

    @abstractmethod
    def __call__(self, trial: Trial) -> float:
        """The score of the candidate of this trial."""
