"""How sure each of several labels may be."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from ..domain import Domain
from ..output import MultiLabel, Output
from ..output.entries import known_entries
from .answers import LabelAnswers
from .certainty import Certainty
from .classes import ClassCertainty
from .novelty import Novelty


@final
class LabelCertainty(Certainty):
    """Each entry of y, a sample and a label, is a choice of two classes: one temperature and one threshold
    for them all, as `ClassCertainty` has them, and novelty.

    So 90 % is promised of entries, not of samples, and of all labels together, not of each.
    """

    kind: ClassVar[str] = MultiLabel.kind

    def __init__(self, entries: ClassCertainty) -> None:
        super().__init__()
        self.entries = entries
        self.held_out = entries.held_out

    @property
    def novelty(self) -> Novelty:  # type: ignore[override]
        return self.entries.novelty

    @classmethod
    def of(
        cls, logits: Float[Tensor, "r n k"], judged: Domain, features: Domain, directions: bool
    ) -> "LabelCertainty":
        y, known = judged.labels, known_entries(judged.labels, judged.observed).bool()
        scores = logits[:, known]
        two = torch.stack([torch.zeros_like(scores), scores], 2)
        return cls(ClassCertainty.of_codes(two, y[known].long(), Novelty.of(features, directions)))

    def calibrated(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """logits / T, whose logistic function is the probabilities."""
        return self.entries.calibrated(logits)

    def answers(
        self, output: Output, expected: Float[Tensor, "n k"], z: Float[Tensor, "n d"]
    ) -> LabelAnswers:
        plausible = self.entries.plausible(torch.stack([1 - expected, expected], 2))
        novelty = self.novelty(z) if len(z) else expected.sum(1)
        label = output.decode(output.answer(expected))
        return LabelAnswers(label, output.names, expected, plausible, novelty)

    def __str__(self) -> str:
        if math.isinf(self.entries.threshold):
            return str(self.entries)
        return f"whether a label applies is among what is plausible {self.covered()}"

    def to_json(self) -> dict[str, Any]:
        return {**self.entries.to_json(), "kind": self.kind}

    @classmethod
    def from_json(cls, saved: dict[str, Any], points: Sequence[int]) -> "LabelCertainty":
        return cls(ClassCertainty.from_json(saved, points))
