"""Maps at several resolutions in one row of numbers, as a pyramid of a network gives them."""

import math
from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from ..errors import InputError

Level = tuple[int, int, int]  # channels, height, width

MOST_LEVELS, MOST_NUMBERS = 16, 1 << 27


def unpacked(z: Float[Tensor, "n d"], levels: Sequence[Level]) -> list[Float[Tensor, "n c h w"]]:
    """The maps that stand side by side in every row.

    >>> import torch
    >>> [tuple(level.shape) for level in unpacked(torch.zeros(5, 14), ((3, 2, 2), (2, 1, 1)))]
    [(5, 3, 2, 2), (5, 2, 1, 1)]
    """
    sizes = [math.prod(level) for level in levels]
    return [row.unflatten(1, level) for row, level in zip(z.split(sizes, 1), levels, strict=True)]


def enlarged(z: Float[Tensor, "n c h w"], size: Sequence[int]) -> Float[Tensor, "n c h2 w2"]:
    """Bilinear in the centres of places, the same where the size is the same."""
    if tuple(z.shape[2:]) == tuple(size):
        return z
    return interpolate(z, size=tuple(size), mode="bilinear", align_corners=False)


def checked_levels(given: Any) -> tuple[Level, ...]:
    """Levels that a file tells of, from fine to coarse.

    >>> checked_levels([[8, 4, 4], [16, 2, 2]])
    ((8, 4, 4), (16, 2, 2))
    """
    levels = tuple(tuple(level) for level in given)
    sound = all(len(level) == 3 and all(type(n) is int and n > 0 for n in level) for level in levels)
    if not sound or not 0 < len(levels) <= MOST_LEVELS or sum(map(math.prod, levels)) > MOST_NUMBERS:
        raise InputError(f"a head on levels {given!r} is none: save the model again")
    return tuple((c, h, w) for c, h, w in levels)
