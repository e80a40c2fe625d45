"""What a judge's held-out predictions teach a model about its own sureness."""

import math
from collections.abc import Sequence
from typing import Any, final

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ..domain import Domain
from .conformal import conformal_quantile, coverage_band
from .novelty import Novelty
from .temperature import fitted_temperature

ALPHA = 0.1
ENOUGH = 30  # held-out predictions from which a temperature is fitted


@final
class Certainty(nn.Module):
    """Temperature T, threshold q and novelty, all from the labelled samples.

    The probabilities are softmax(logits / T), T fitted to held-out predictions where there are `ENOUGH`.
    A class c is plausible if 1 − p_c ≤ q, with q the conformal quantile at `ALPHA` of 1 − p_y over the
    held-out predictions (cross-conformal prediction: q comes from models that saw a fold less than the one
    that is used, so what it covers is a little more than promised, and no theorem but a test's statement).
    All of it is valid for samples like those labelled, and for no others: that is what novelty watches.

    Vovk, Cross-conformal predictors, 2015, arXiv:1208.0806; Sadinle et al., 2019, arXiv:1609.00451.
    """

    def __init__(self, temperature: float, threshold: float, held_out: int, novelty: Novelty) -> None:
        super().__init__()
        self.temperature = temperature
        self.threshold = threshold
        self.held_out = held_out
        self.novelty = novelty

    @classmethod
    def of(
        cls, logits: Float[Tensor, "r n k"], y: Int[Tensor, " n"], features: Domain, directions: bool
    ) -> "Certainty":
        """From held-out logits of n samples in r repeats, their labels, and the features of all labelled."""
        temperature = fitted_temperature(logits, y) if len(y) >= ENOUGH else 1.0
        p = (logits.double() / temperature).softmax(2).mean(0)
        threshold = conformal_quantile(1 - p.gather(1, y[:, None]).squeeze(1), ALPHA)
        return cls(temperature, threshold, len(y), Novelty.of(features, directions))

    def calibrated(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """logits / T, whose softmax is the probabilities."""
        return logits / self.temperature

    def plausible(self, probabilities: Float[Tensor, "n k"]) -> Bool[Tensor, "n k"]:
        """Which classes cannot be ruled out; none where no class is as probable as true ones were."""
        return 1 - probabilities <= self.threshold

    def __str__(self) -> str:
        if math.isinf(self.threshold):
            return f"{self.held_out} held-out predictions rule nothing out at {1 - ALPHA:.0%}"
        low, high = coverage_band(self.held_out, ALPHA)
        return (
            f"the plausible classes hold the true one in {1 - ALPHA:.0%} of samples like those labelled "
            f"({low:.0%} to {high:.0%}, from {self.held_out} held-out predictions)"
        )

    def to_json(self) -> dict[str, Any]:
        low, high = coverage_band(self.held_out, ALPHA)
        return {
            "temperature": self.temperature,
            "threshold": None if math.isinf(self.threshold) else self.threshold,
            "held_out": self.held_out,
            "coverage": {"promised": 1 - ALPHA, "low": low, "high": high},
            "novelty": self.novelty.to_json(),
        }

    @classmethod
    def from_json(cls, saved: dict[str, Any], points: Sequence[int]) -> "Certainty":
        """An empty one of the saved size, which is that of its points; its tensors are loaded into it."""
        threshold = math.inf if saved["threshold"] is None else float(saved["threshold"])
        temperature = float(saved["temperature"])
        if [saved["novelty"]["classes"], saved["novelty"]["features"]] != list(points):
            raise ValueError("its novelty is of another size than its points")
        if not (0 < temperature < math.inf and threshold >= 0):
            raise ValueError("its temperature or threshold is none")
        return cls(temperature, threshold, int(saved["held_out"]), Novelty(**saved["novelty"]))
