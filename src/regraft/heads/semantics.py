"""A head on words and on what they have in common with others."""

from typing import Any, ClassVar, Self, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from .affine import Affine


@final
class Semantics(nn.Module):
    """f([w, a v]),  w = s z / ‖s z‖,  v = (A w + b) / ‖A w + b‖: features beside their place on few axes.

    >>> from regraft.heads import Linear
    >>> axes = Affine(torch.ones(2, 4), torch.zeros(2))
    >>> Semantics.of(torch.ones(4), axes, 0.5, Linear(features=6, classes=3))(torch.ones(5, 4)).shape
    torch.Size([5, 3])
    """

    kind: ClassVar[str] = "semantics"

    scale: Tensor
    weight: Tensor
    bias: Tensor
    share: Tensor

    def __init__(self, features: int, width: int, head: nn.Module | dict[str, Any]) -> None:
        super().__init__()
        from . import head_from_json

        sizes = {"scale": (features,), "weight": (width, features), "bias": (width,), "share": ()}
        for name, size in sizes.items():
            self.register_buffer(name, torch.zeros(size, dtype=torch.float64))
        self.head = head if isinstance(head, nn.Module) else head_from_json(head)

    @classmethod
    def of(cls, scale: Float[Tensor, " d"], axes: Affine, share: float, head: nn.Module) -> Self:
        """The head f with s, with A and b, and with a."""
        made = cls(axes.weight.shape[1], axes.weight.shape[0], head)
        made.scale.copy_(scale)
        made.weight.copy_(axes.weight)
        made.bias.copy_(axes.bias)
        made.share.fill_(share)
        return made

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        seen = beside_axes(z, self.scale, Affine(self.weight, self.bias), self.share)
        scores: Tensor = self.head(seen)
        return scores

    def to_json(self) -> dict[str, Any]:
        width, features = self.weight.shape
        inner = self.head.to_json()  # type: ignore[operator]
        return {"kind": self.kind, "features": features, "width": width, "head": inner}


def beside_axes(
    z: Float[Tensor, "n d"], scale: Float[Tensor, " d"], axes: Affine, share: float | Float[Tensor, ""]
) -> Float[Tensor, "n e"]:
    """[w, a v] as in `Semantics`, of d + r numbers.

    >>> axes = Affine(torch.tensor([[1.0, -1.0]]).double(), torch.zeros(1).double())
    >>> beside_axes(torch.tensor([[4.0, 0.0], [0.0, 4.0]]), torch.tensor([1.0, 2.0]), axes, 0.5).tolist()
    [[1.0, 0.0, 0.5], [0.0, 1.0, -0.5]]
    """
    w = normalize(z.double() * scale, dim=1)
    return torch.cat([w, share * normalize(axes(w), dim=1)], 1)
