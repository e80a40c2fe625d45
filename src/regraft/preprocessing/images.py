"""Pictures as a network's weights expect them: decoded, scaled, cropped; the first stage normalises."""

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, final

import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..errors import InputError
from ..readers.decoding import RULE, THUMBNAIL, Colour, as_tensor, decode, in_colour
from ..readers.images import ImageFiles
from ..samples import Samples, describe, is_images
from . import Preprocessing

CHOICES = {"resize": ("crop", "squash"), "interpolation": ("bilinear", "bicubic"), "colour": ("rgb", "grey")}
LONGEST = 16
LEAST_SPREAD = 0.05  # of white
MOST_SIDE = 2048  # of the scaled picture: above, a batch of them would fill the memory


@final
@dataclass(frozen=True)
class ImagePreprocessing(Preprocessing):
    """Scale to size / crop_fraction, crop the centre to `size`; the first stage is (x/255 − mean) / std.

    size: (height, width) that the network takes. resize: "crop" scales so that the picture just covers
    size / crop_fraction and keeps its proportions, "squash" does not keep them. mean, std: per channel, of
    pixels between 0 and 1. standardise: whether each picture is taken by its own mean and spread instead
    (`Standardise`), which no light and hardly any contrast of a camera changes. Else these are the evaluation
    transforms of timm and torchvision, with Pillow's antialiased filters; only JPEGs larger than twice the
    scaled size are decoded smaller first.
    A picture more than 16 times as long as the crop is cut to its middle before it is scaled.

    >>> rule = ImagePreprocessing((2, 2), crop_fraction=0.5)
    >>> rule(torch.arange(16, dtype=torch.uint8).reshape(1, 4, 4)).shape
    torch.Size([1, 3, 2, 2])
    >>> ImagePreprocessing.from_json(rule.to_json()) == rule
    True
    """

    kind: ClassVar[str] = "images"

    size: tuple[int, int]
    resize: Literal["crop", "squash"] = "crop"
    crop_fraction: float = 0.875
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    colour: Colour = "rgb"
    standardise: bool = False

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise InputError(f"{name} is {getattr(self, name)!r}: it must be one of {', '.join(choices)}")
        if len(self.size) != 2 or min(self.size) < 1 or not all(type(side) is int for side in self.size):
            raise InputError(f"size is {self.size}: give height and width in pixels")
        if not 0 < self.crop_fraction <= 1:
            raise InputError(f"crop_fraction is {self.crop_fraction}: it must be above 0 and at most 1")
        if max(self.covered) > MOST_SIDE:
            raise InputError(
                f"size {self.size} and crop_fraction {self.crop_fraction} make pictures of more than "
                f"{MOST_SIDE:,} pixels a side: give a smaller size"
            )
        if self.standardise:  # then these play no part
            object.__setattr__(self, "mean", ())
            object.__setattr__(self, "std", ())
        elif not len(self.mean) == len(self.std) == self.channels or min(self.std) <= 0:
            raise InputError(
                f"mean {self.mean}, std {self.std}: give {self.channels} each for {self.colour}, std above 0"
            )

    @property
    def channels(self) -> int:
        return 1 if self.colour == "grey" else 3

    @property
    def makes_thumbnails(self) -> bool:
        """Whether this is what `thumbnail` does, which readers have done already."""
        rule = (self.resize, self.crop_fraction, self.interpolation, self.colour)
        return self.size == (THUMBNAIL, THUMBNAIL) and rule == ("squash", 1.0, "bilinear", "rgb")

    def __call__(self, x: Tensor | Samples) -> UInt8[Tensor, "n c h w"]:
        if isinstance(x, ImageFiles):
            if x.thumbnails is not None and self.makes_thumbnails:
                return x.thumbnails
            rows = x.each(self._of_file)
            return torch.cat(rows) if rows else self._none()
        if isinstance(x, Tensor) and is_images(x) and x.numel():
            return self._scaled(self._coloured(x))
        if isinstance(x, Tensor) and is_images(x) and not len(x):
            return self._none()
        what = f"{describe(x)} of {x.dtype}" if isinstance(x, Tensor) else str(x)
        raise InputError(
            f"this network takes image files or uint8 images n × height × width (× 1, 3 or 4), not {what}: "
            "give pixels from 0 to 255 as uint8, channels last"
        )

    @property
    def reading(self) -> dict[str, Any]:
        return RULE

    def first_stage(self) -> "Normalise | Standardise":
        return Standardise() if self.standardise else Normalise(self.mean, self.std)

    def to_json(self) -> dict[str, Any]:
        listed = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        for name in ("mean", "std") if self.standardise else ("standardise",):
            del listed[name]  # which play no part; the last as it was before there was a choice
        return {"kind": self.kind, **listed}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "ImagePreprocessing":
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in saved.items()}
        values.pop("kind", None)
        return cls(**values)

    def _of_file(self, content: bytes) -> UInt8[Tensor, "1 c h w"]:
        return self._scaled(decode(content, colour=self.colour, at_least=max(self.covered))[None])

    def _coloured(self, x: UInt8[Tensor, "n h w ..."]) -> UInt8[Tensor, "n c h w"]:
        x = x[..., None] if x.ndim == 3 else x
        if x.shape[3] == 1 or x.shape[3] == self.channels:
            return x.permute(0, 3, 1, 2).expand(-1, self.channels, -1, -1)
        return torch.stack([as_tensor(in_colour(Image.fromarray(row.numpy()), self.colour)) for row in x])

    def _scaled(self, x: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h2 w2"]:
        """Scaled and cropped to `size`."""
        if self.resize == "crop":
            x = self._middle(x)
        h, w = self._scaled_size(*x.shape[2:])
        if (h, w) != tuple(x.shape[2:]):
            x = interpolate(x, size=(h, w), mode=self.interpolation, antialias=True, align_corners=False)
        return _cropped(x, self.size)

    def _scaled_size(self, h: int, w: int) -> tuple[int, int]:
        height, width = self.covered
        if self.resize == "squash":
            return height, width
        if height == width:  # rounds down, as torchvision does; otherwise to the nearest, as timm does
            return height * h // min(h, w), width * w // min(h, w)
        ratio = min(h / height, w / width)
        return round(h / ratio), round(w / ratio)

    @property
    def covered(self) -> tuple[int, int]:
        """What the scaled picture has to cover."""
        return math.floor(self.size[0] / self.crop_fraction), math.floor(self.size[1] / self.crop_fraction)

    def _middle(self, x: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n c h2 w2"]:
        """All that the crop can see of a very long picture, whose scaled whole would fill the memory."""
        height, width = self.covered
        h, w = x.shape[2:]
        ratio = min(h / height, w / width)
        return _cropped(
            x, (min(h, math.ceil(LONGEST * height * ratio)), min(w, math.ceil(LONGEST * width * ratio)))
        )

    def _none(self) -> UInt8[Tensor, "0 c h w"]:
        return torch.empty((0, self.channels, *self.size), dtype=torch.uint8)


@final
class Normalise(nn.Module):
    """(x/255 − mean) / std in float32, channel by channel, of pixels from 0 to 255.

    >>> Normalise((0.5,), (0.25,))(torch.full((1, 1, 1, 1), 255, dtype=torch.uint8)).item()
    2.0
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(mean).reshape(-1, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std).reshape(-1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Float[Tensor, "n c h w"]:
        return (x.float() - self.mean) / self.std


@final
class Standardise(nn.Module):
    """(x − m) / (s + 0.05 · 255), with the mean m and the spread s of all pixels of the picture, in float32.

    The twentieth of white keeps a picture of almost one colour from becoming nothing but its noise.

    >>> Standardise()(torch.tensor([[[[0, 102]]]], dtype=torch.uint8)).tolist()
    [[[[-0.800000011920929, 0.800000011920929]]]]
    """

    def forward(self, x: Tensor) -> Float[Tensor, "n c h w"]:
        around = x.float()
        around = around - around.mean((1, 2, 3), keepdim=True)
        spread = around.square().mean((1, 2, 3), keepdim=True).sqrt()
        return around / (spread + 255 * LEAST_SPREAD)


def _cropped(x: UInt8[Tensor, "n c h w"], size: tuple[int, int]) -> UInt8[Tensor, "n c h2 w2"]:
    """The centre, its corner at half the margin, rounded to the even pixel as torchvision does."""
    top, left = (round((there - kept) / 2) for there, kept in zip(x.shape[2:], size, strict=True))
    return x[:, :, top : top + size[0], left : left + size[1]]
