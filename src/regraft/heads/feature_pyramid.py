"""A decoder that brings what coarse maps know down to the places of fine ones."""

from collections.abc import Sequence
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

from .levels import Level, checked_levels, enlarged, unpacked

GROUPS = 8


@final
class FeaturePyramid(nn.Module):
    """P_l = lateral_l(z_l) + enlarged(P_{l+1});  s = W Σ_l enlarged(relu(norm(smooth_l(P_l)))) + b

    lateral: 1 × 1 convolutions to `width` channels, of maps that are first normalised as a whole, because
    stages differ in scale; smooth: 3 × 3 convolutions; norm: by group (a batch is few pictures); enlarged to
    the places of the finest level, which the scores s have.

    Lin et al., CVPR 2017, arXiv:1612.03144, with the sum of levels of Kirillov et al., CVPR 2019,
    arXiv:1901.02446.

    >>> head = FeaturePyramid(levels=((3, 4, 4), (2, 2, 2)), classes=5, width=8)
    >>> head(torch.ones(6, 3 * 16 + 2 * 4)).shape
    torch.Size([6, 5, 4, 4])
    """

    kind: ClassVar[str] = "feature pyramid"

    def __init__(self, levels: Sequence[Level], classes: int, width: int = 32) -> None:
        super().__init__()
        self.levels = checked_levels(levels)
        self.evened = nn.ModuleList(nn.GroupNorm(1, c) for c, _, _ in self.levels)
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c, _, _ in self.levels)
        self.smooth = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in self.levels)
        self.norm = nn.ModuleList(nn.GroupNorm(GROUPS, width) for _ in self.levels)
        self.classify = nn.Conv2d(width, classes, 1)

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k h w"]:
        maps = unpacked(z.to(self.classify.weight.dtype), self.levels)
        merged: Tensor | None = None
        total = torch.zeros((), device=z.device)
        for m, *layers in reversed(
            list(zip(maps, self.evened, self.lateral, self.smooth, self.norm, strict=True))
        ):
            evened, lateral, smooth, norm = layers
            here = lateral(evened(m))
            merged = here if merged is None else here + enlarged(merged, m.shape[2:])
            total = total + enlarged(relu(norm(smooth(merged))), self.levels[0][1:])
        scores: Tensor = self.classify(total)
        return scores

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "levels": [list(level) for level in self.levels],
            "classes": self.classify.out_channels,
            "width": self.classify.in_channels,
        }
