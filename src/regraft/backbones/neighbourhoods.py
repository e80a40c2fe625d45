"""No network at all: the colours around every place of a picture, which is what a baseline sees of it."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pad, unfold

from ..backbone import Backbone
from ..preprocessing.images import ImagePreprocessing
from .pyramid import Level

SIDE = 56  # places a side of the finest level, as a network for 224 × 224 pixels has at a quarter of them
SCALES = 4
OWN, PLACE = 3 * 9, 5  # the colours of 3 × 3 neighbours; x, y, x², y², xy


def neighbourhoods(side: int = SIDE) -> Backbone:
    """For every place the colours of its 3 × 3 neighbours, at four scales, and where it lies.

    A pyramid as `pyramid` makes one of a network: side × side places, then half, a quarter and an eighth of
    them, each with the mean colours of what it covers. A linear head on it sees up to 3/7 of the picture's
    width around a place, in colours only.

    >>> from regraft.backbones.pyramid import levels_of
    >>> levels_of(neighbourhoods(16))
    ((32, 16, 16), (27, 8, 8), (27, 4, 4), (27, 2, 2))
    """
    look = ImagePreprocessing((side, side), "squash", crop_fraction=1.0, mean=(0.5,) * 3, std=(0.5,) * 3)
    levels: list[Level] = [
        (OWN + (PLACE if scale == 0 else 0), side >> scale, side >> scale) for scale in range(SCALES)
    ]
    return Backbone(
        [("neighbourhoods", nn.Sequential(look.first_stage(), Neighbourhoods()))],
        look,
        name="raw pixels",
        spec={"loader": "neighbourhoods", "side": side, "levels": [list(level) for level in levels]},
        pretrained=False,
        source="no weights",
    )


@final
class Neighbourhoods(nn.Module):
    """n × 3 × s × s → the levels of `neighbourhoods`, flattened and side by side."""

    def forward(self, x: Float[Tensor, "n 3 s s"]) -> Float[Tensor, "n d"]:
        levels = []
        for scale in range(SCALES):
            z = around(avg_pool2d(x, 2**scale))
            levels.append(torch.cat([z, places(z)], 1) if scale == 0 else z)
        return torch.cat([level.flatten(1) for level in levels], 1)


def around(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c9 h w"]:
    """The values of the 3 × 3 neighbours of every place; beyond the border stand those of the border.

    >>> around(torch.arange(4.0).reshape(1, 1, 2, 2))[0, :, 0, 0].tolist()
    [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 2.0, 2.0, 3.0]
    """
    h, w = x.shape[2:]
    found = unfold(pad(x, (1, 1, 1, 1), mode="replicate"), 3)
    around_each: Tensor = found.unflatten(2, (h, w))
    return around_each


def places(z: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 5 h w"]:
    """Where every place lies, from −1 to 1 across and down, with squares and product.

    >>> places(torch.zeros(1, 1, 1, 2))[0, :, 0, 1].tolist()
    [0.5, 0.0, 0.25, 0.0, 0.0]
    """
    h, w = z.shape[2:]
    down, across = ((torch.arange(side, device=z.device) + 0.5) * 2 / side - 1 for side in (h, w))
    y, x = torch.meshgrid(down, across, indexing="ij")
    return torch.stack([x, y, x * x, y * y, x * y]).expand(len(z), -1, -1, -1)
