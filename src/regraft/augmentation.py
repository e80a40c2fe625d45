"""Pictures changed a little, in ways that leave what is in them: crops, turns, mirror images, colours."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from .errors import InputError

LONGER = 4 / 3  # how much longer or wider than the picture a crop may be, in proportion
NUMBERS = 8  # that crops, mirror images and colours are drawn from
MOVES, SIGNS = 6, 7  # that turns and inversions are drawn from, behind those eight
DEGREES, SHIFT, SCALE = 30.0, 1 / 7, 0.3  # the largest turn, way (of a side) and log of a factor, at 1
GAIN, OFFSET = 1.2, 0.3  # the largest factor of a channel's contrast, and what is added, in units of white


@final
@dataclass(frozen=True)
class Augmentation:
    """Changes of prepared pixels, n × c × h × w, that keep size, order of colours and range.

    crop: the least share of the area that a random crop keeps, which is then scaled to the whole; 1 crops
    nothing. flip: whether half of the pictures are mirrored, left to right; not where that is another class,
    as with digits and letters. colour: s, by which brightness, contrast and saturation change at the most,
    each by a factor from 1 − s to 1 + s. affine: t; the picture turns by up to 30 t degrees, moves by up to
    t sevenths of a side, and is scaled, stretched and sheared, all at once. invert: the share of pictures of
    which every channel is drawn anew around middle grey, x ↦ ½ + a (x − ½) + b with a from −1.2 to 1.2 and b
    from −0.3 to 0.3: strokes may be light on dark or dark on light, and of any colour. That is for what is
    told by its shape alone.

    What is drawn is not hidden in it: `u` holds `numbers` numbers between 0 and 1 for every picture, and the
    same numbers make the same change. Pixels come in and go out as bytes, because normalisation is the first
    layer of the network.

    Crops as in Szegedy et al., Going deeper with convolutions, CVPR 2015, arXiv:1409.4842, section 6.

    >>> x = torch.tensor([[[[1, 2, 3]]]], dtype=torch.uint8)
    >>> Augmentation(flip=True)(x, torch.zeros(1, NUMBERS)).tolist()
    [[[[3, 2, 1]]]]
    """

    crop: float = 1.0
    flip: bool = False
    colour: float = 0.0
    affine: float = 0.0
    invert: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.crop <= 1:
            raise InputError(f"crop is {self.crop}: give the least share of a picture to keep, above 0 to 1")
        if not 0 <= self.colour < 1:
            raise InputError(
                f"colour is {self.colour}: give the largest change of a factor, from 0 to below 1"
            )
        if not 0 <= self.affine <= 1:
            raise InputError(f"affine is {self.affine}: give the strength of turns and shifts, from 0 to 1")
        if not 0 <= self.invert <= 1:
            raise InputError(f"invert is {self.invert}: give a share of the pictures, from 0 to 1")

    def __bool__(self) -> bool:
        """Whether anything is changed."""
        return self.crop < 1 or self.flip or self.colour > 0 or self.affine > 0 or self.invert > 0

    @property
    def numbers(self) -> int:
        """How many numbers one change is drawn from.

        >>> Augmentation(crop=0.5).numbers, Augmentation(affine=0.5).numbers
        (8, 21)
        """
        return NUMBERS + (MOVES + SIGNS if self.affine > 0 or self.invert > 0 else 0)

    @torch.no_grad()
    def __call__(self, x: UInt8[Tensor, "n c h w"], u: Float[Tensor, "n k"]) -> UInt8[Tensor, "n c h w"]:
        area, shape, left, top, side, *factors = u[:, :NUMBERS].to(x.device).unbind(1)
        moves, signs = (more.to(x.device) for more in (u[:, NUMBERS:][:, :MOVES], u[:, NUMBERS + MOVES :]))
        mirrored = side < 0.5 if self.flip else torch.zeros_like(side, dtype=torch.bool)
        if self.crop < 1 or self.affine > 0:
            box = self._box(area, shape, left, top, mirrored)
            pixels = _seen_through(box if self.affine == 0 else self._turned(box, moves, x.shape), x.float())
        else:
            pixels = torch.where(mirrored[:, None, None, None], x.flip(3), x).float()
        if self.colour > 0:
            brightness, contrast, saturation = (1 + self.colour * (2 * f - 1) for f in factors)
            pixels = _coloured(pixels, brightness, contrast, saturation)
        if self.invert > 0:
            pixels = torch.where(
                signs[:, :1, None, None] < self.invert, _signed(pixels, signs[:, 1:]), pixels
            )
        return pixels.round_().clamp_(0, 255).to(torch.uint8)

    def _box(self, area: Any, shape: Any, left: Any, top: Any, mirrored: Any) -> Float[Tensor, "n 2 3"]:
        """A box of every picture, scaled to its size: one affine map, which mirrors as well."""
        if self.crop < 1:
            kept = self.crop + (1 - self.crop) * area
            longer = LONGER ** (2 * shape - 1)
            wide, high = (kept * longer).sqrt().clamp(max=1), (kept / longer).sqrt().clamp(max=1)
        else:
            wide = high = torch.ones_like(area)
        centre_x, centre_y = (2 * left - 1) * (1 - wide), (2 * top - 1) * (1 - high)
        zero = torch.zeros_like(wide)
        across = torch.stack([torch.where(mirrored, -wide, wide), zero, centre_x], 1)
        down = torch.stack([zero, high, centre_y], 1)
        return torch.stack([across, down], 1)

    def _turned(
        self, box: Float[Tensor, "n 2 3"], moves: Float[Tensor, "n 6"], size: Sequence[int]
    ) -> Float[Tensor, "n 2 3"]:
        """The box behind  e^s diag(e^r, e^−r) [[cos θ, k − sin θ], [sin θ, cos θ]]  and a shift.

        θ, s, k, r and the shift are uniform around 0. In units of pixels, so that a picture that is wider
        than high is turned and not bent.
        """
        turn, scale, shear, stretch, right, down = (self.affine * (2 * moves - 1)).unbind(1)
        angle = math.radians(DEGREES) * turn
        scale, shear, stretch = SCALE * scale, SCALE * shear, SCALE / 2 * stretch
        h, w = size[2:]
        first = (
            torch.stack([angle.cos(), (shear - angle.sin()) * h / w], 1) * (scale + stretch).exp()[:, None]
        )
        second = torch.stack([angle.sin() * w / h, angle.cos()], 1) * (scale - stretch).exp()[:, None]
        shift = 2 * SHIFT * torch.stack([right, down], 1)  # a side is 2 long here
        linear = box[:, :, :2]
        moved = linear @ torch.stack([first, second], 1)
        return torch.cat([moved, linear @ shift[:, :, None] + box[:, :, 2:]], 2)


def pixels_in(x: Any) -> bool:
    """Whether x is prepared pixels, n × c × h × w as bytes, and not activations of a cut behind them."""
    return isinstance(x, Tensor) and x.dtype == torch.uint8 and x.ndim == 4


def _coloured(
    x: Float[Tensor, "n c h w"],
    brightness: Float[Tensor, " n"],
    contrast: Float[Tensor, " n"],
    saturation: Float[Tensor, " n"],
) -> Float[Tensor, "n c h w"]:
    """Away from black, from the mean of the picture and from its grey, by these factors."""
    b, k, s = (factor[:, None, None, None] for factor in (brightness, contrast, saturation))
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (b * k) * x + (b * (1 - k)) * mean
    return x if x.shape[1] == 1 else torch.lerp(x.mean(1, keepdim=True), x, s)


def _seen_through(theta: Float[Tensor, "n 2 3"], x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Pictures under an affine map from where a pixel is to where it is taken from; borders continue."""
    grid = affine_grid(theta, list(x.shape), align_corners=False)
    return grid_sample(x, grid, padding_mode="border", align_corners=False)


def _signed(x: Float[Tensor, "n c h w"], u: Float[Tensor, "n 6"]) -> Float[Tensor, "n c h w"]:
    """Every channel (of three at the most) around middle grey, by a factor that may be negative."""
    gain, offset = (2 * u - 1)[:, : 2 * x.shape[1]].reshape(len(x), 2, -1, 1, 1).unbind(1)
    return 127.5 + GAIN * gain * (x - 127.5) + 255 * OFFSET * offset
