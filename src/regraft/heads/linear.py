"""The linear head, solved or trained."""

from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from ..errors import InputError


@final
class Linear(nn.Module):
    """z Wᵀ + b, in the precision of W: float64 where it was solved, float32 where it is trained.

    >>> Linear(features=3, classes=2)(torch.ones(4, 3)).shape
    torch.Size([4, 2])
    """

    kind: ClassVar[str] = "linear"

    def __init__(self, features: int, classes: int, dtype: str = "float64") -> None:
        super().__init__()
        if dtype not in ("float32", "float64"):
            raise InputError(f"a linear head of {dtype!r} is none: it holds float32 or float64")
        self.weight = nn.Parameter(torch.zeros(classes, features, dtype=getattr(torch, dtype)))
        self.bias = nn.Parameter(torch.zeros(classes, dtype=getattr(torch, dtype)))

    @classmethod
    def of(cls, weight: Float[Tensor, "k d"], bias: Float[Tensor, " k"]) -> "Linear":
        """The head with these numbers."""
        head = cls(weight.shape[1], weight.shape[0], str(weight.dtype).removeprefix("torch."))
        with torch.no_grad():
            head.weight.copy_(weight)
            head.bias.copy_(bias)
        return head

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        return linear(z.to(self.weight.dtype), self.weight, self.bias)

    def to_json(self) -> dict[str, Any]:
        classes, features = self.weight.shape
        dtype = str(self.weight.dtype).removeprefix("torch.")
        return {"kind": self.kind, "features": features, "classes": classes, "dtype": dtype}
