"""Pictures cut into tiles that no edge joins."""

import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ...backbone import Backbone
from ...errors import InputError
from ...pretext import width_of
from ...trained import Network
from ..contrastive.projector import projector

LEAST_CELL = 2  # pixels


class Siamese(nn.Module):
    """What is said of several tiles together, from the features that φ has of each on its own.

    size: what tiles are scaled to before φ sees them.
    """

    def __init__(self, features: int, tiles: int, width: int, out: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.layers = projector(tiles * features, width, out)

    @classmethod
    def of(cls, backbone: Backbone, cut: Tensor, x: Tensor, *, width: int, out: int) -> "Siamese":
        """cut: tiles of the pictures x. φ sees them as they are, if it takes pictures of that size."""
        size = (cut.shape[-2], cut.shape[-1])
        try:
            features = width_of(backbone, cut[:2].flatten(0, 1))
        except (RuntimeError, AssertionError):
            size = (x.shape[2], x.shape[3])
            features = width_of(backbone, x)
        return cls(features, cut.shape[1], width, out, size)

    def forward(self, z: Tensor) -> Tensor:
        scores: Tensor = self.layers(z)
        return scores

    def says(self, network: Network, cut: UInt8[Tensor, "n t c h w"]) -> Tensor:
        """The scores of each picture's tiles, in this order."""
        each = cut.flatten(0, 1)
        if tuple(each.shape[2:]) != self.size:
            each = interpolate(each.float(), self.size, mode="bilinear").round().to(torch.uint8)
        scores: Tensor = self(network.features(each).reshape(len(cut), -1))
        return scores


def tiles(x: UInt8[Tensor, "n c h w"], grid: int, gap: float) -> UInt8[Tensor, "n t c a b"]:
    """A tile of every one of grid × grid cells, in the order of text, each somewhere in its cell.

    A tile is by the share `gap` (of a side, a pixel at the least) smaller than its cell, and where it lies is
    drawn anew, so that strokes do not go on where one ends and the next begins.

    >>> tiles(torch.zeros(5, 3, 12, 18, dtype=torch.uint8), 3, 0.25).shape
    torch.Size([5, 9, 3, 3, 4])
    """
    sides = [side // grid for side in x.shape[2:]]
    places = []
    for number, cell in enumerate(sides):
        tile = min(cell - 1, round((1 - gap) * cell))
        first = torch.arange(grid * grid) // grid if number == 0 else torch.arange(grid * grid) % grid
        start = cell * first + torch.randint(cell - tile + 1, (len(x), grid * grid))
        places.append((start[:, :, None] + torch.arange(tile)).to(x.device))
    rows, columns = places
    one = torch.arange(len(x), device=x.device)[:, None, None, None]
    return x.permute(0, 2, 3, 1)[one, rows[:, :, :, None], columns[:, :, None, :]].permute(0, 1, 4, 2, 3)


def must_be_cut(x: Tensor, grid: int) -> None:
    """InputError where pictures are too small for so many tiles."""
    if min(x.shape[2:]) // grid < LEAST_CELL:
        raise InputError(
            f"pictures of {x.shape[3]}×{x.shape[2]} pixels cannot be cut into {grid}×{grid} tiles: give at "
            f"least {LEAST_CELL * grid} pixels a side"
        )
