"""The way back from features to samples: a backbone's stages mirrored, whatever they are."""

from dataclasses import dataclass
from math import prod
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from ...backbone import Backbone
from ...errors import InputError

MOST_NUMBERS = 1 << 24  # of weights of a single layer
PART = 256  # samples of the pool that are looked at at once
STEADY = 1e-6  # a column that varies less is not scaled

Shape = tuple[int, ...]


@final
@dataclass(frozen=True)
class Cut:
    """What activations are at a cut: their shape without the batch, and whether they go below zero."""

    shape: Shape
    signed: bool


@torch.no_grad()
def cuts_of(backbone: Backbone, x: Tensor) -> list[Cut]:
    """What they are before every stage and after the last, as two samples show.

    >>> from regraft.backbones import small_convnet
    >>> x = torch.zeros(2, 1, 16, 16, dtype=torch.uint8)
    >>> [cut.shape for cut in cuts_of(small_convnet((16, 16), "grey", width=2), x)]
    [(1, 16, 16), (2, 8, 8), (4, 4, 4), (8, 2, 2), (16,)]
    """
    z, cuts = x[:2], []
    if z.is_floating_point():
        z = z.to(next(backbone.parameters(), z).dtype)
    for stage in (None, *backbone.eval().stages):
        z = z if stage is None else stage(z)
        cuts.append(Cut(tuple(z.shape[1:]), bool((z < 0).any())))
    return cuts


class Decoder(nn.Module):
    """g = g_1 ∘ … ∘ g_L, g_i from the shape behind stage i to that before it, and x̄ = (x − m) / s to aim at.

    Of every g_i but g_1 the answer is normalised over the batch and rectified, or nearly (a leak of 0.2) if
    what it stands for goes below zero. m and s are the mean and spread over the pool, of every column of
    vectors and every channel of pictures.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, backbone: Backbone, x: Tensor, tied: bool = False) -> None:
        super().__init__()
        self.cuts = cuts_of(backbone, x)
        blocks = []
        for i, stage in enumerate(backbone.stages):
            before, behind = self.cuts[i], self.cuts[i + 1]
            one = Transposed(only_linear(stage)) if tied else block(behind.shape, before.shape)
            blocks.append(one if i == 0 else nn.Sequential(one, *finish(before, normalised=not tied)))
        self.blocks = nn.ModuleList(blocks)
        mean, spread = moments_of(x)
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)

    def forward(self, z: Tensor) -> Tensor:
        for one in reversed(self.blocks):
            z = one(z)
        return z

    def entrance(self, numbers: int) -> nn.Sequential:
        """What features are made of where they are drawn: from so many numbers."""
        last = self.cuts[-1]
        return nn.Sequential(block((numbers,), last.shape), *finish(last))

    def aim(self, x: Tensor) -> Tensor:
        """x̄: samples as they are to be reconstructed."""
        return (x.float() - self.mean) / self.spread

    def back(self, aim: Tensor) -> Tensor:
        """Samples, from what `aim` makes of them."""
        return aim * self.spread + self.mean


class Transposed(nn.Module):
    """z ↦ Wᵀ z + b, with the W of a layer that is part of something else and learns there."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.of = [layer]  # in a list, where torch does not count it among this module's own
        self.bias = nn.Parameter(torch.zeros(layer.in_features))

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        return linear(z, self.of[0].weight.T, self.bias)


def block(behind: Shape, before: Shape) -> nn.Module:
    """Activations of one shape from those of another.

    >>> block((5,), (7,))
    Linear(in_features=5, out_features=7, bias=True)
    >>> block((8, 2, 2), (4, 5, 3))(torch.zeros(1, 8, 2, 2)).shape
    torch.Size([1, 4, 5, 3])
    """
    if len(behind) == len(before) == 1:
        return nn.Linear(*behind, *before)
    if len(behind) == len(before) == 3:
        return nn.Sequential(nn.Upsample(size=before[1:]), nn.Conv2d(behind[0], before[0], 3, padding=1))
    if len(behind) == len(before) == 2 and behind[0] == before[0]:
        return nn.Linear(behind[1], before[1])
    if len(behind) == 1 and len(before) == 3:
        small: Shape = before
        while prod(behind) * prod(small) > MOST_NUMBERS and max(small[1:]) > 1:
            small = (small[0], *((side + 1) // 2 for side in small[1:]))
        if prod(behind) * prod(small) <= MOST_NUMBERS:
            grown = [] if small == before else [nn.Upsample(size=before[1:])]
            return nn.Sequential(*_unfolded(behind, small), *grown)
    if prod(behind) * prod(before) <= MOST_NUMBERS:
        return nn.Sequential(*_unfolded(behind, before))
    raise InputError(
        f"a stage of the network makes {behind} of {before}, which no decoder of a usual size mirrors: "
        "take a task without one, such as SimCLR or Rotation"
    )


def finish(cut: Cut, normalised: bool = True) -> list[nn.Module]:
    """What makes the answer of a block what activations at the cut are."""
    norms = {1: nn.BatchNorm1d, 2: nn.LayerNorm, 3: nn.BatchNorm2d}
    width = cut.shape[-1] if len(cut.shape) == 2 else cut.shape[0]
    bend = nn.LeakyReLU(0.2) if cut.signed else nn.ReLU()
    return [norms[len(cut.shape)](width), bend] if normalised and len(cut.shape) in norms else [bend]


def only_linear(stage: nn.Module) -> nn.Linear:
    """The one layer of a fully connected stage. Raises InputError where the stage is anything else."""
    owners = [module for module in stage.modules() if list(module.parameters(recurse=False))]
    if len(owners) == 1 and isinstance(owners[0], nn.Linear):
        return owners[0]
    raise InputError(
        "tied weights need stages of one fully connected layer each, and "
        f"{', '.join(type(module).__name__ for module in owners) or 'a stage without weights'} is another: "
        "leave tied out, or take small_mlp"
    )


def moments_of(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and spread of every column of vectors, or channel of pictures (c × 1 × 1).

    >>> [m.tolist() for m in moments_of(torch.tensor([[0.0, 3.0], [2.0, 3.0]]))]
    [[1.0, 3.0], [1.0, 1.0]]
    """
    over = (0, 2, 3) if x.ndim == 4 else (0,)
    n = x.numel() // (x.shape[1] if x.ndim > 1 else 1)
    mean = torch.stack([part.double().sum(over) for part in x.split(PART)]).sum(0) / n
    shape = (-1, 1, 1) if x.ndim == 4 else (-1,)
    around = [(part.double() - mean.reshape(shape)).square().sum(over) for part in x.split(PART)]
    spread = (torch.stack(around).sum(0) / n).sqrt()
    spread = torch.where(spread < STEADY, torch.ones_like(spread), spread)
    return mean.reshape(shape).float(), spread.reshape(shape).float()


def _unfolded(behind: Shape, before: Shape) -> list[nn.Module]:
    return [nn.Flatten(), nn.Linear(prod(behind), prod(before)), nn.Unflatten(1, before)]
