"""Networks that give samples of one domain the look of another, and networks that tell made from real."""

import copy

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ...augmentation import pixels_in
from ...errors import InputError
from ...recount import norms_of
from ...samples import describe
from ...trained import Network

LEAST_SIDE = 8  # of pictures: discriminators halve them twice
BLOCKS = 2  # in the middle of a generator of pictures
MIDDLE = 127.5  # of pixels from 0 to 255


class Look(nn.Module):
    """x = centre + spread · u: the units in which samples are translated.

    Of pixels u is from −1 to 1. Of other numbers it has mean 0 and variance 1 in every column, or channel, of
    both domains together.

    >>> look = Look(torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 0.0]]))
    >>> look.inside(torch.tensor([[1.0, 5.0]])), look.outside(torch.tensor([[1.0, 5.0]]))
    (tensor([[-1.,  5.]]), tensor([[3., 5.]]))
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, source: Tensor, target: Tensor) -> None:
        super().__init__()
        if pixels_in(source):
            centre = spread = torch.tensor(MIDDLE)
        else:
            x = torch.cat([source.float(), target.float()])
            over = (0, *range(2, x.ndim))
            spread, centre = torch.std_mean(x, over, correction=0)
            spread = torch.where(spread > 0, spread, 1.0)
            centre, spread = (each.reshape(-1, *(1,) * (x.ndim - 2)) for each in (centre, spread))
        self.register_buffer("centre", centre.clone())
        self.register_buffer("spread", spread.clone())

    def inside(self, x: Tensor) -> Tensor:
        return (x.to(self.centre.device).float() - self.centre) / self.spread

    def outside(self, u: Tensor) -> Tensor:
        """As a network takes it; pixels are no whole numbers, so that a gradient reaches what made them."""
        return u * self.spread + self.centre


class Generator(nn.Module):
    """G(u) = u + r(u); the last layer of r starts at 0, and so G as the identity.

    r is a layer with ReLU and a linear one for vectors. For pictures it works at full and, in residual blocks
    with instance normalisation, at half resolution. What is at full resolution is not normalised, because
    that would take away how bright a picture is as a whole.

    >>> u = torch.randn(2, 3, 9, 8)
    >>> torch.equal(Generator(u, width=4)(u), u)
    True
    """

    def __init__(self, like: Tensor, width: int) -> None:
        super().__init__()
        channels = like.shape[1]
        self.change = _PictureChange(channels, width) if like.ndim == 4 else _VectorChange(channels, width)
        for parameter in self.change.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, u: Tensor) -> Tensor:
        changed: Tensor = u + self.change(u)
        return changed


def discriminator(like: Tensor, width: int) -> nn.Sequential:
    """Scores of vectors, one each, or of pictures, one for every patch: 1 for real, 0 for made.

    Nothing is normalised in it: that would hide from it how bright or tinted a picture is as a whole.

    >>> discriminator(torch.zeros(2, 3, 8, 8), width=4)(torch.zeros(2, 3, 8, 8)).shape
    torch.Size([2, 1, 2, 2])
    """
    channels = like.shape[1]
    if like.ndim == 2:
        return nn.Sequential(
            nn.Linear(channels, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )
    return nn.Sequential(
        nn.Conv2d(channels, width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 1, 3, padding=1),
    )


class SourceClassifier(nn.Module):
    """The network as it was when it had learned the source: a copy, taken once."""

    taken: Int[Tensor, ""]

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.backbone = copy.deepcopy(network.backbone)
        self.head = copy.deepcopy(network.head)
        self.register_buffer("taken", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def take(self, network: Network) -> None:
        """Be the network as it is now, unless it was taken before."""
        if not self.taken:
            self.backbone.load_state_dict(network.backbone.state_dict())
            self.head.load_state_dict(network.head.state_dict())
            self.taken += 1

    def scores(self, x: Tensor, network: Network) -> Float[Tensor, "n k"]:
        """What it says of x, seen by x's own statistics wherever the network sees its batches so."""
        for own, theirs in zip(norms_of(self.backbone), norms_of(network.backbone), strict=True):
            own.train(theirs.training)
        scores: Tensor = self.head(self.backbone(x).flatten(1))
        return scores


def translatable(x: Tensor, method: str) -> Tensor:
    """x, where it is pictures, maps of numbers or vectors; InputError where it is none of them."""
    pictures = x.ndim == 4 and min(x.shape[2:]) >= LEAST_SIDE and (pixels_in(x) or x.is_floating_point())
    if not pictures and not (x.ndim == 2 and x.is_floating_point()):
        raise InputError(
            f"{method} translates vectors of numbers and pictures or maps of {LEAST_SIDE} × {LEAST_SIDE} at "
            f"least, and what the stages that learn take is {describe(x)} of shape {tuple(x.shape[1:])}, "
            f"{x.dtype}: let more or fewer stages learn (trained), or take another method"
        )
    return x


class _VectorChange(nn.Module):
    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(columns, 4 * width)
        self.last = nn.Linear(4 * width, columns)

    def forward(self, u: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        out: Tensor = self.last(self.first(u).relu())
        return out


class _PictureChange(nn.Module):
    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(_block(2 * width) for _ in range(BLOCKS))
        self.up = nn.Conv2d(2 * width, width, 1)
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, u: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        full = self.first(u).relu()
        half = self.down(full).relu()
        for block in self.blocks:
            half = half + block(half)
        out: Tensor = self.last((full + interpolate(self.up(half), size=full.shape[2:])).relu())
        return out


def _block(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.InstanceNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.InstanceNorm2d(channels),
    )
