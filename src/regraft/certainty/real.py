"""How far off numbers may be."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, final

from jaxtyping import Float
from torch import Tensor, tensor

from ..domain import Domain
from ..output import Output, Real
from ..output.entries import known_entries
from .answers import RealAnswers
from .certainty import ALPHA, Certainty, novelty_from_json
from .conformal import conformal_quantile
from .novelty import Novelty


@final
class RealCertainty(Certainty):
    """ŷ ± q, with q the conformal quantile at `ALPHA` of |y − ŷ| over the held-out predictions, and novelty.

    One q for each number: the interval is as wide everywhere, and says how far off such models were, not how
    hard this sample is. Lei et al., Distribution-free predictive inference for regression, 2018,
    arXiv:1604.04173.
    """

    kind: ClassVar[str] = Real.kind

    def __init__(self, reach: list[float], held_out: int, novelty: Novelty) -> None:
        super().__init__()
        self.reach = reach
        self.held_out = held_out
        self.novelty = novelty

    @classmethod
    def of(
        cls, logits: Float[Tensor, "r n k"], judged: Domain, features: Domain, directions: bool
    ) -> "RealCertainty":
        y = judged.labels
        off, known = (y - logits.mean(0)).abs(), known_entries(y, judged.observed).bool()
        each = [column[seen] for column, seen in zip(off.T, known.T, strict=True)]
        reach = [conformal_quantile(errors, ALPHA) for errors in each]
        return cls(reach, min(map(len, each)), Novelty.of(features, directions))

    def answers(self, output: Output, expected: Float[Tensor, "n k"], z: Float[Tensor, "n d"]) -> RealAnswers:
        reach = tensor(self.reach, dtype=expected.dtype)
        novelty = self.novelty(z) if len(z) else expected.sum(1)
        label, ends = output.decode(expected), (expected - reach, expected + reach)
        return RealAnswers(label, output.names, expected, *ends, novelty)

    def __str__(self) -> str:
        if any(map(math.isinf, self.reach)):
            return f"{self.held_out} held-out predictions give no interval at {1 - ALPHA:.0%}"
        return f"the interval from low to high holds the number {self.covered()}"

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "reach": [None if math.isinf(q) else q for q in self.reach],
            "held_out": self.held_out,
            "coverage": self.coverage(),
            "novelty": self.novelty.to_json(),
        }

    @classmethod
    def from_json(cls, saved: dict[str, Any], points: Sequence[int]) -> "RealCertainty":
        reach = [math.inf if q is None else float(q) for q in saved["reach"]]
        if not all(q >= 0 for q in reach):
            raise ValueError("its reach is none")
        return cls(reach, int(saved["held_out"]), novelty_from_json(saved["novelty"], points))
