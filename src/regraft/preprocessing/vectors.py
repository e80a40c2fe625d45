"""Vectors, each column scaled by what the training fold shows of it."""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import InputError
from ..samples import Samples, describe
from . import AsTheyAre, Preprocessing


@final
@dataclass(frozen=True, eq=False)
class Standardised(Preprocessing):
    """(x − mean) / deviation, column by column; a constant column becomes 0.

    >>> rule = Standardised().fit(torch.tensor([[0.0], [2.0]]))
    >>> rule(torch.tensor([[4.0]])).item()
    3.0
    """

    kind: ClassVar[str] = "standardised"

    mean: Float[Tensor, " d"] | None = None
    deviation: Float[Tensor, " d"] | None = None

    @property
    def fitted(self) -> bool:
        return self.mean is not None

    def fit(self, x: Tensor | Samples) -> "Standardised":
        z = _vectors(x)
        deviation = z.std(0, correction=0)
        tiny = deviation <= 1e-12 * z.abs().amax(0).clamp_min(1e-12)
        return Standardised(z.mean(0), torch.where(tiny, torch.ones_like(deviation), deviation))

    def __call__(self, x: Tensor | Samples) -> Tensor:
        if self.mean is None or self.deviation is None:
            raise InputError("the columns' scales are not fitted yet: call fit with the training samples")
        z = _vectors(x)
        if z.shape[1] != len(self.mean):
            raise InputError(
                f"x has {z.shape[1]} columns, and the model was fitted with {len(self.mean)}: "
                "give the same columns in the same order"
            )
        return (z - self.mean) / self.deviation

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind}

    def tensors(self) -> dict[str, Tensor]:
        if self.mean is None or self.deviation is None:
            return {}
        return {"mean": self.mean, "deviation": self.deviation}

    @classmethod
    def from_json(cls, saved: dict[str, Any], tensors: dict[str, Tensor]) -> "Standardised":
        return cls(tensors["mean"], tensors["deviation"])


def _vectors(x: Tensor | Samples) -> Float[Tensor, "n d"]:
    """Rows of numbers in float64, whatever shape and type they had."""
    z = AsTheyAre()(x)
    if z.ndim < 2:
        raise InputError(f"x is {describe(x)}: give one row of numbers for each sample")
    return z.flatten(1).double()
