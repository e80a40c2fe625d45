"""A linear classifier of every place, on all levels of a pyramid."""

from collections.abc import Sequence
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d

from .levels import Level, checked_levels, enlarged, unpacked


@final
class Hypercolumn(nn.Module):
    """s(p) = W u(p) + b,  u(p) = the values of all levels at place p, bilinearly between their places

    levels: the shapes (c, h, w) of the maps in a row, from fine to coarse; s has the places of the finest.
    W u is the sum over levels of W_l z_l, enlarged: enlarging is linear, and so the hypercolumn itself, of
    hundreds of channels at the finest resolution, is never held.

    Hariharan et al., CVPR 2015, arXiv:1411.5752.

    >>> head = Hypercolumn(levels=((3, 4, 4), (2, 2, 2)), classes=5)
    >>> head(torch.ones(6, 3 * 16 + 2 * 4)).shape
    torch.Size([6, 5, 4, 4])
    """

    kind: ClassVar[str] = "hypercolumn"

    def __init__(self, levels: Sequence[Level], classes: int) -> None:
        super().__init__()
        self.levels = checked_levels(levels)
        self.weight = nn.Parameter(torch.zeros(classes, sum(c for c, _, _ in self.levels)))
        self.bias = nn.Parameter(torch.zeros(classes))

    @classmethod
    def of(
        cls, weight: Float[Tensor, "k c"], bias: Float[Tensor, " k"], levels: Sequence[Level]
    ) -> "Hypercolumn":
        """The head with these numbers."""
        head = cls(levels, len(bias))
        with torch.no_grad():
            head.weight.copy_(weight)
            head.bias.copy_(bias)
        return head

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k h w"]:
        maps = unpacked(z.to(self.weight.dtype), self.levels)
        weights = self.weight.split([c for c, _, _ in self.levels], 1)
        scores = [conv2d(m, w[:, :, None, None]) for m, w in zip(maps, weights, strict=True)]
        total = torch.stack([enlarged(s, self.levels[0][1:]) for s in scores]).sum(0)
        return total + self.bias[:, None, None]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "levels": [list(level) for level in self.levels],
            "classes": len(self.bias),
        }
