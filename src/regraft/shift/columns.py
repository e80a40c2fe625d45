"""What can be said of every sample by itself: of pictures how they look, of tables their columns."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from ..domain import Domain
from ..progress import Progress, Silent
from ..readers.cells import is_missing, number
from ..readers.decoding import decode, size_of
from ..readers.facts import FileFacts, facts_of
from ..readers.images import ImageFiles
from ..readers.tables import Table
from ..readers.texts import Texts
from ..samples import is_images

LOOKED_AT = 224  # pixels a side: what networks usually see of a picture
GREY = 2 / 255  # mean distance of the largest from the smallest channel, up to which a picture is grey
WEIGHTS = (0.299, 0.587, 0.114)  # of red, green and blue in brightness (ITU-R 601)


@final
@dataclass(frozen=True)
class Words:
    """How a difference in a number is told: X `is` `more` or `less`, for several `are`.

    noun: what the number is. digits: how it is written.
    """

    noun: str
    more: str
    less: str
    verb: tuple[str, str] = ("is", "are")
    digits: str = ".2f"


@final
@dataclass(frozen=True, eq=False)
class Numbers:
    """A number for every sample, NaN where there is none."""

    words: Words
    values: Float[Tensor, " n"]


@final
@dataclass(frozen=True, eq=False)
class Kinds:
    """One of several kinds for every sample, None where that is not told."""

    noun: str
    values: Sequence[str | None]


Column = Numbers | Kinds
HAS = ("has", "have")
LOOKS = {
    "brightness": Words("brightness", "brighter", "darker"),
    "contrast": Words("contrast", "more contrast", "less contrast", HAS),
    "saturation": Words("saturation", "stronger colours", "paler colours", HAS),
    "warmth": Words("warmth (red − blue)", "warmer in colour", "cooler in colour"),
    "sharpness": Words("sharpness", "sharper", "blurrier", digits=".2g"),
    "shorter side": Words("shorter side in pixels", "larger", "smaller", digits=".0f"),
    "aspect ratio": Words("width over height", "wider", "narrower"),
    "bytes per pixel": Words("bytes per pixel", "less compressed", "more compressed"),
    "JPEG quality": Words(
        "JPEG quality", "saved at a higher JPEG quality", "saved at a lower JPEG quality", digits=".0f"
    ),
}


def columns_of(domain: Domain, progress: Progress | None = None) -> list[Column]:
    """What is known of every sample, in the order in which it is told.

    >>> [column.values.tolist() for column in columns_of(Domain([[1.0, 2.0], [3.0, 4.0]]))]
    [[1.0, 3.0], [2.0, 4.0]]
    """
    x = domain.x
    if isinstance(x, ImageFiles):
        return _of_files(x, progress or Silent())
    if isinstance(x, Table):
        return [_of_table(x, name) for name in x.columns]
    if isinstance(x, Texts):
        return _of_texts(x)
    if isinstance(x, Tensor) and is_images(x):
        return _of_arrays(x)
    flat = x.flatten(1).double()
    return [Numbers(_larger(f"column {i}"), flat[:, i]) for i in range(flat.shape[1])]


def look(pixels: UInt8[Tensor, "c h w"]) -> dict[str, float]:
    """How a picture looks at 224 × 224 pixels, whatever its size.

    With channels between 0 and 1 and grey = 0.299 R + 0.587 G + 0.114 B: brightness is the mean of grey,
    contrast its standard deviation; saturation is Σ (max − min) / Σ max over the channels, warmth
    (mean R − mean B) / mean of all, and sharpness the variance of the Laplacian of grey over the variance of
    grey: the last three do not change when a picture is made darker as a whole. grey: 1 where the channels
    are equal to within 2/255 on average.

    >>> dark = look(torch.full((3, 4, 4), 51, dtype=torch.uint8))
    >>> dark["brightness"], dark["contrast"], dark["grey"]
    (0.2, 0.0, 1.0)
    """
    size = (LOOKED_AT, LOOKED_AT)
    # not rounded to bytes, which in a dark picture would look like detail
    seen = interpolate(pixels[None].float(), size=size, mode="bilinear", antialias=True)[0]
    rgb = (seen.double() / 255).expand(3, *size)
    grey = sum(w * channel for w, channel in zip(WEIGHTS, rgb, strict=True))
    assert isinstance(grey, Tensor)
    largest, smallest = rgb.amax(0), rgb.amin(0)
    middle = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle
    variance = float(grey.var(correction=0))
    return {
        "brightness": round(float(grey.mean()), 9),
        "contrast": round(variance**0.5, 9),
        "saturation": float((largest - smallest).sum() / largest.sum().clamp_min(1e-9)),
        "warmth": float((rgb[0].mean() - rgb[2].mean()) / rgb.mean().clamp_min(1e-9)),
        "sharpness": float(laplacian.var(correction=0)) / max(variance, 1e-9),
        "grey": float((largest - smallest).mean() <= GREY),
    }


def _of_files(files: ImageFiles, progress: Progress) -> list[Column]:
    with warnings.catch_warnings(), progress.track("looking at images", len(files)) as task:
        warnings.filterwarnings("ignore", module="PIL")  # odd metadata

        def work(content: bytes) -> tuple[dict[str, float], FileFacts]:
            facts = facts_of(content)
            height, width = size_of(content)
            seen = {**look(decode(content, at_least=LOOKED_AT)), **_shape(height, width)}
            seen["bytes per pixel"] = facts.bytes / (height * width)
            seen["JPEG quality"] = math.nan if facts.quality is None else facts.quality
            task.advance()
            return seen, facts

        looks, facts = zip(*files.each(work), strict=True)
    formats, cameras = [told.format for told in facts], [told.camera for told in facts]
    return [*_looks(looks), Kinds("file format", formats), Kinds("camera", cameras)]


def _of_arrays(x: UInt8[Tensor, "n h w ..."]) -> list[Column]:
    pictures = x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)[:, :3]
    return _looks([{**look(p), **_shape(x.shape[1], x.shape[2])} for p in pictures])


def _looks(looks: Sequence[dict[str, float]]) -> list[Column]:
    def values(name: str) -> Float[Tensor, " n"]:
        return torch.tensor([seen[name] for seen in looks], dtype=torch.float64)

    numbers = [Numbers(words, values(name)) for name, words in LOOKS.items() if name in looks[0]]
    return [*numbers, Kinds("colour", ["grey" if seen["grey"] else "any" for seen in looks])]


def _shape(height: int, width: int) -> dict[str, float]:
    return {"shorter side": float(min(height, width)), "aspect ratio": width / height}


def _of_table(table: Table, name: str) -> Column:
    cells = table.column(name)
    if table.numeric and name in table.numeric:
        read = [number(cell) for cell in cells]
        values = [math.nan if value is None else value for value in read]
        return Numbers(_larger(repr(name)), torch.tensor(values, dtype=torch.float64))
    return Kinds(repr(name), [None if is_missing(cell) else cell for cell in cells])


def _of_texts(x: Texts) -> list[Column]:
    words = [text.split() for text in x.texts]
    length = torch.tensor([float(len(told)) for told in words], dtype=torch.float64)
    letters = torch.tensor([float(sum(map(len, told))) for told in words], dtype=torch.float64)
    return [
        Numbers(_larger("number of words"), length),
        Numbers(_larger("length of words"), letters / length.clamp_min(1)),
    ]


def _larger(name: str) -> Words:
    return Words(name, f"a larger {name}", f"a smaller {name}", HAS, ".3g")
