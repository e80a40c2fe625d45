"""What a judge's held-out predictions teach a model about its own sureness."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from ..domain import Domain
from ..output import Output
from .answers import Answers
from .conformal import coverage_band
from .novelty import Novelty

ALPHA = 0.1
ENOUGH = 30  # held-out predictions from which a temperature is fitted


class Certainty(nn.Module, ABC):
    """How sure the answers of one kind may be. held_out: how many held-out predictions told it.

    What it promises comes from models that saw a fold less than the one that is used (cross-conformal
    prediction), so what is covered is a little more than promised, and no theorem but a test's statement. All
    of it is valid for samples like those labelled, and for no others: that is what novelty watches.

    Vovk, Cross-conformal predictors, 2015, arXiv:1208.0806.
    """

    kind: ClassVar[str]  # of the output
    novelty: Novelty
    held_out: int

    @classmethod
    @abstractmethod
    def of(
        cls, logits: Float[Tensor, "r n k"], judged: Domain, features: Domain, directions: bool
    ) -> "Certainty":
        """From held-out scores of the judged samples in r repeats, and the features of all labelled ones (and
        whether only their directions tell how alike they are)."""

    def calibrated(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """The scores whose meaning (`Output.expected`) is as sure as it may be."""
        return logits

    @abstractmethod
    def answers(self, output: Output, expected: Float[Tensor, "n k"], z: Float[Tensor, "n d"]) -> Answers:
        """What the model says of samples with these predictions and features."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs, besides tensors."""

    @classmethod
    @abstractmethod
    def from_json(cls, saved: dict[str, Any], points: Sequence[int]) -> "Certainty":
        """An empty one of the saved size, which is that of its points; its tensors are loaded into it."""

    def coverage(self) -> dict[str, float]:
        """What share of answers is promised to hold the truth, and where it lies by so few predictions."""
        low, high = coverage_band(self.held_out, ALPHA)
        return {"promised": 1 - ALPHA, "low": low, "high": high}

    def covered(self) -> str:
        """The same, in words."""
        told = self.coverage()
        return (
            f"in {1 - ALPHA:.0%} of samples like those labelled "
            f"({told['low']:.0%} to {told['high']:.0%}, from {self.held_out} held-out predictions)"
        )


def novelty_from_json(saved: dict[str, Any], points: Sequence[int]) -> Novelty:
    """An empty one of the saved size."""
    if [saved["classes"], saved["features"]] != list(points):
        raise ValueError("its novelty is of another size than its points")
    return Novelty(**saved)
