"""Maps of features that heads are put behind."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .linear import Linear


@final
@dataclass(frozen=True, eq=False)
class Affine:
    """z ↦ A z + b, in float64.

    >>> twice = Affine.of_scale(torch.full((3,), 2.0), torch.zeros(3))
    >>> twice(torch.ones(1, 3)).tolist(), twice.after(twice)(torch.ones(1, 3)).tolist()
    ([[2.0, 2.0, 2.0]], [[4.0, 4.0, 4.0]])
    """

    weight: Float[Tensor, "r d"]
    bias: Float[Tensor, " r"]

    @classmethod
    def identity(cls, d: int) -> Self:
        return cls(torch.eye(d, dtype=torch.float64), torch.zeros(d, dtype=torch.float64))

    @classmethod
    def of_scale(cls, scale: Float[Tensor, " d"], shift: Float[Tensor, " d"]) -> Self:
        """z ↦ scale · z + shift, column by column."""
        return cls(torch.diag(scale.double()), shift.double())

    def __call__(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n r"]:
        return torch.addmm(self.bias, z.double(), self.weight.T)

    def after(self, first: "Affine") -> "Affine":
        """z ↦ self(first(z))."""
        return Affine(self.weight @ first.weight, torch.mv(self.weight, first.bias) + self.bias)

    def then(self, head: nn.Module) -> nn.Module:
        """The head of what the map puts out, as a head of what goes in; of a linear head a linear one."""
        if isinstance(head, Linear):
            weight = head.weight.detach().double()
            bias = head.bias.detach().double() + torch.mv(weight, self.bias)
            return Linear.of(weight @ self.weight, bias)
        return Mapped.of(self, head)


@final
class Mapped(nn.Module):
    """f(A z + b): a head f behind an affine map of the features.

    >>> from regraft.heads import MLP
    >>> head = Affine(torch.ones(2, 3), torch.zeros(2)).then(MLP(features=2, hidden=3, classes=4))
    >>> head(torch.ones(5, 3)).shape
    torch.Size([5, 4])
    """

    kind: ClassVar[str] = "mapped"

    weight: Tensor
    bias: Tensor

    def __init__(self, features: int, width: int, head: nn.Module | dict[str, Any]) -> None:
        super().__init__()
        from . import head_from_json

        self.register_buffer("weight", torch.zeros(width, features, dtype=torch.float64))
        self.register_buffer("bias", torch.zeros(width, dtype=torch.float64))
        self.head = head if isinstance(head, nn.Module) else head_from_json(head)

    @classmethod
    def of(cls, affine: Affine, head: nn.Module) -> "Mapped":
        made = cls(affine.weight.shape[1], affine.weight.shape[0], head)
        made.weight.copy_(affine.weight)
        made.bias.copy_(affine.bias)
        return made

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        scores: Tensor = self.head(Affine(self.weight, self.bias)(z))
        return scores

    def to_json(self) -> dict[str, Any]:
        width, features = self.weight.shape
        inner = self.head.to_json()  # type: ignore[operator]
        return {"kind": self.kind, "features": features, "width": width, "head": inner}
