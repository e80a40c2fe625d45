"""How sure one of several classes may be."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, final

from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..domain import Domain
from ..output import Classes, Output
from .answers import ClassAnswers
from .certainty import ALPHA, ENOUGH, Certainty, novelty_from_json
from .conformal import conformal_quantile
from .novelty import Novelty
from .temperature import fitted_temperature


@final
class ClassCertainty(Certainty):
    """Temperature T, threshold q and novelty, all from the labelled samples.

    The probabilities are softmax(logits / T), T fitted to held-out predictions where there are `ENOUGH`.
    A class c is plausible if 1 − p_c ≤ q, with q the conformal quantile at `ALPHA` of 1 − p_y over the
    held-out predictions. Sadinle et al., 2019, arXiv:1609.00451.
    """

    kind: ClassVar[str] = Classes.kind

    def __init__(self, temperature: float, threshold: float, held_out: int, novelty: Novelty) -> None:
        super().__init__()
        self.temperature = temperature
        self.threshold = threshold
        self.held_out = held_out
        self.novelty = novelty

    @classmethod
    def of(
        cls, logits: Float[Tensor, "r n k"], judged: Domain, features: Domain, directions: bool
    ) -> "ClassCertainty":
        return cls.of_codes(logits, judged.labels, Novelty.of(features, directions))

    @classmethod
    def of_codes(
        cls, logits: Float[Tensor, "r n k"], y: Int[Tensor, " n"], novelty: Novelty
    ) -> "ClassCertainty":
        """From held-out scores and the class of each sample, as its position."""
        temperature = fitted_temperature(logits, y) if len(y) >= ENOUGH else 1.0
        p = (logits.double() / temperature).softmax(2).mean(0)
        threshold = conformal_quantile(1 - p.gather(1, y[:, None]).squeeze(1), ALPHA)
        return cls(temperature, threshold, len(y), novelty)

    def calibrated(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """logits / T, whose softmax is the probabilities."""
        return logits / self.temperature

    def plausible(self, probabilities: Float[Tensor, "n k"]) -> Bool[Tensor, "n k"]:
        """Which classes cannot be ruled out; none where no class is as probable as true ones were."""
        return 1 - probabilities <= self.threshold

    def answers(
        self, output: Output, expected: Float[Tensor, "n k"], z: Float[Tensor, "n d"]
    ) -> ClassAnswers:
        novelty = self.novelty(z) if len(z) else expected.sum(1)
        label = output.decode(output.answer(expected))
        return ClassAnswers(label, expected, self.plausible(expected), novelty)

    def __str__(self) -> str:
        if math.isinf(self.threshold):
            return f"{self.held_out} held-out predictions rule nothing out at {1 - ALPHA:.0%}"
        return f"the plausible classes hold the true one {self.covered()}"

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "temperature": self.temperature,
            "threshold": None if math.isinf(self.threshold) else self.threshold,
            "held_out": self.held_out,
            "coverage": self.coverage(),
            "novelty": self.novelty.to_json(),
        }

    @classmethod
    def from_json(cls, saved: dict[str, Any], points: Sequence[int]) -> "ClassCertainty":
        threshold = math.inf if saved["threshold"] is None else float(saved["threshold"])
        temperature = float(saved["temperature"])
        if not (0 < temperature < math.inf and threshold >= 0):
            raise ValueError("its temperature or threshold is none")
        novelty = novelty_from_json(saved["novelty"], points)
        return cls(temperature, threshold, int(saved["held_out"]), novelty)
