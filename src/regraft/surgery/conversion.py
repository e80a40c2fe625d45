"""A tensor of one shape as one of another, where there is a way that keeps what it means."""

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def converted(name: str, value: Tensor, shape: tuple[int, ...], first: bool) -> tuple[Tensor, str] | None:
    """(the tensor in the new shape, what was done), or None where no way is known.

    name: of the target's tensor; first: whether it belongs to the first convolution, which sees the colours.

    - Colours, the input channels of the first convolution: their sum for one; otherwise repeated in turn and
      scaled, so that equal channels give what they gave (as timm has it).
    - Kernels of another size: interpolated, scaled to the same sum.
    - Position embeddings, 1 × n × d: the square grid of the last positions interpolated, those in front kept.
    - Fewer outputs or inputs: the first ones (slicing), which keeps shapes and some of the meaning.
    """
    if tuple(value.shape) == shape:
        return value, ""
    if value.ndim != len(shape):
        return None
    if "pos_embed" in name or "position_embedding" in name:
        return positions(value, shape)
    done = []
    if value.ndim == 4 and first and value.shape[1] != shape[1]:
        value = colours(value, shape[1])
        done.append("colours")
    if value.ndim == 4 and value.shape[2:] != shape[2:]:
        value = kernel(value, (shape[2], shape[3]))
        done.append("kernel interpolated")
    if tuple(value.shape) != shape:
        if any(have < want for have, want in zip(value.shape, shape, strict=True)):
            return None
        value = value[tuple(slice(n) for n in shape)]
        done.append("sliced")
    return value.contiguous(), ", ".join(done)


def colours(weight: Tensor, channels: int) -> Tensor:
    """The first convolution for another number of channels.

    >>> weight = torch.ones(1, 3, 1, 1)
    >>> colours(weight, 1).flatten().tolist(), colours(weight, 6).flatten().tolist()
    ([3.0], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    """
    had = weight.shape[1]
    if channels == 1:
        return weight.sum(1, keepdim=True)
    repeated = weight.repeat(1, math.ceil(channels / had), 1, 1)[:, :channels]
    return repeated * (had / channels)


def kernel(weight: Tensor, size: tuple[int, int]) -> Tensor:
    """The kernels at another size, each with the sum it had (of what varies slowly they see the same).

    >>> round(kernel(torch.ones(1, 1, 3, 3), (5, 5)).sum().item(), 3)
    9.0
    """
    ratio = weight.shape[2] * weight.shape[3] / (size[0] * size[1])
    grown = interpolate(weight.float(), size, mode="bicubic", align_corners=False)
    return (grown * ratio).to(weight.dtype)


def positions(value: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, str] | None:
    """Embeddings of a square grid of positions behind some tokens of no place, for another grid."""
    if value.ndim != 3 or value.shape[0] != shape[0] or value.shape[2] != shape[2]:
        return None
    for tokens in (0, 1, 2):
        old, new = (math.isqrt(max(0, n - tokens)) for n in (value.shape[1], shape[1]))
        if old and new and old * old + tokens == value.shape[1] and new * new + tokens == shape[1]:
            grid = value[:, tokens:].float().reshape(1, old, old, -1).permute(0, 3, 1, 2)
            grid = interpolate(grid, (new, new), mode="bicubic", align_corners=False)
            moved = grid.permute(0, 2, 3, 1).reshape(1, new * new, -1).to(value.dtype)
            return torch.cat([value[:, :tokens], moved], 1), "positions interpolated"
    return None
