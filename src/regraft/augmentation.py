"""Pictures changed a little, in ways that leave what is in them: crops, mirror images, colours."""

from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from .errors import InputError

LONGER = 4 / 3  # how much longer or wider than the picture a crop may be, in proportion
NUMBERS = 8  # that one change is drawn from


@final
@dataclass(frozen=True)
class Augmentation:
    """Changes of prepared pixels, n × c × h × w, that keep size, order of colours and range.

    crop: the least share of the area that a random crop keeps, which is then scaled to the whole; 1 crops
    nothing. flip: whether half of the pictures are mirrored, left to right; not where that is another class,
    as with digits and letters. colour: s, by which brightness, contrast and saturation change at the most,
    each by a factor from 1 − s to 1 + s.

    What is drawn is not hidden in it: `u` holds eight numbers between 0 and 1 for every picture, and the same
    numbers make the same change. Pixels come in and go out as bytes, because normalisation is the first layer
    of the network.

    Crops as in Szegedy et al., Going deeper with convolutions, CVPR 2015, arXiv:1409.4842, section 6.

    >>> x = torch.tensor([[[[1, 2, 3]]]], dtype=torch.uint8)
    >>> Augmentation(flip=True)(x, torch.zeros(1, NUMBERS)).tolist()
    [[[[3, 2, 1]]]]
    """

    crop: float = 1.0
    flip: bool = False
    colour: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.crop <= 1:
            raise InputError(f"crop is {self.crop}: give the least share of a picture to keep, above 0 to 1")
        if not 0 <= self.colour < 1:
            raise InputError(
                f"colour is {self.colour}: give the largest change of a factor, from 0 to below 1"
            )

    def __bool__(self) -> bool:
        """Whether anything is changed."""
        return self.crop < 1 or self.flip or self.colour > 0

    @torch.no_grad()
    def __call__(self, x: UInt8[Tensor, "n c h w"], u: Float[Tensor, "n 8"]) -> UInt8[Tensor, "n c h w"]:
        area, shape, left, top, side, *factors = u.to(x.device).unbind(1)
        mirrored = side < 0.5 if self.flip else torch.zeros_like(side, dtype=torch.bool)
        if self.crop < 1:
            pixels = self._cropped(x.float(), area, shape, left, top, mirrored)
        else:
            pixels = torch.where(mirrored[:, None, None, None], x.flip(3), x).float()
        if self.colour > 0:
            brightness, contrast, saturation = (1 + self.colour * (2 * f - 1) for f in factors)
            pixels = _coloured(pixels, brightness, contrast, saturation)
        return pixels.round_().clamp_(0, 255).to(torch.uint8)

    def _cropped(
        self, x: Float[Tensor, "n c h w"], area: Any, shape: Any, left: Any, top: Any, mirrored: Any
    ) -> Float[Tensor, "n c h w"]:
        """A box of every picture, scaled to its size: one affine map, which mirrors as well."""
        kept = self.crop + (1 - self.crop) * area
        longer = LONGER ** (2 * shape - 1)
        wide, high = (kept * longer).sqrt().clamp(max=1), (kept / longer).sqrt().clamp(max=1)
        centre_x, centre_y = (2 * left - 1) * (1 - wide), (2 * top - 1) * (1 - high)
        zero = torch.zeros_like(wide)
        across = torch.stack([torch.where(mirrored, -wide, wide), zero, centre_x], 1)
        down = torch.stack([zero, high, centre_y], 1)
        grid = affine_grid(torch.stack([across, down], 1), list(x.shape), align_corners=False)
        return grid_sample(x, grid, padding_mode="border", align_corners=False)


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
