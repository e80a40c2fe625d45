"""Samples as a person knows them: their names, their pictures as data URIs, their values."""

import base64
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from ..readers.decoding import THUMBNAIL, Unreadable, decode, in_threads
from ..readers.images import ImageFiles
from ..readers.tables import Table
from ..readers.texts import Texts
from ..samples import Samples, is_images, sample_names
from .markup import short

SIDE = 160  # pixels of a picture's longer side
SMALL = 64  # pixels a side up to which a picture is enlarged by whole pixels instead
COLUMNS = 40  # of a sheet of thumbnails
VALUES = 6  # of a row of a table, or of a vector, that are shown
LETTERS = 160  # of a text


def titles(x: Tensor | Samples) -> list[str]:
    """What to call each sample on the page.

    >>> titles(torch.zeros(2, 3)), titles(Table(("length",), [["1"]]))
    (['sample 0', 'sample 1'], ['row 2'])
    """
    if isinstance(x, Table):
        return [f"row {number}" for number in x.numbers]
    return [f"sample {name}" for name in sample_names(x)] if isinstance(x, Tensor) else sample_names(x)


def values(x: Tensor | Samples, row: int) -> str:
    """The first few numbers, cells or words of a sample that has no picture.

    >>> values(Table(("length", "colour"), [["1.5", "red"]]), 0)
    'length 1.5, colour red'
    """
    if isinstance(x, Texts):
        return short(x.texts[row], LETTERS)
    if isinstance(x, Table):
        told = [
            f"{short(name, 30)} {short(cell, 30)}" for name, cell in zip(x.columns, x.rows[row], strict=True)
        ]
    elif isinstance(x, Tensor) and not is_images(x):
        told = [f"{v:.4g}" for v in x[row].flatten()[: VALUES + 1].tolist()]
    else:
        return ""
    return ", ".join(told[:VALUES]) + (", …" if len(told) > VALUES else "")


def pictures(x: Tensor | Samples, rows: Sequence[int]) -> list[str | None]:
    """A data URI for each of the rows, or None where it is no picture or can no longer be read.

    Pictures are encoded anew, from their pixels: nothing else that the file holds, such as where a photo was
    taken, comes into the page.
    """
    if isinstance(x, ImageFiles):
        return in_threads(lambda row: _of_file(x, row), rows)
    if isinstance(x, Tensor) and is_images(x):
        return [_uri(_fitted(_image(x[row]))) for row in rows]
    return [None for _ in rows]


def sheet(x: Tensor | Samples, rows: Sequence[int]) -> str | None:
    """The rows' thumbnails, 32×32 pixels each and `COLUMNS` beside each other, in one JPEG as a data URI."""
    if isinstance(x, ImageFiles) and x.thumbnails is not None:
        tiles = x.thumbnails[torch.tensor(rows)].permute(0, 2, 3, 1)
    elif isinstance(x, Tensor) and is_images(x):
        tiles = _squashed(x[torch.tensor(rows)])
    else:
        return None
    if not len(rows):
        return None
    lines = -(-len(rows) // COLUMNS)
    whole = np.zeros((lines * COLUMNS, THUMBNAIL, THUMBNAIL, 3), dtype=np.uint8)
    whole[: len(rows)] = tiles.numpy()
    grid = whole.reshape(lines, COLUMNS, THUMBNAIL, THUMBNAIL, 3).swapaxes(1, 2)
    image = Image.fromarray(grid.reshape(lines * THUMBNAIL, COLUMNS * THUMBNAIL, 3))
    return _encoded(image, "JPEG", quality=70)


def _of_file(x: ImageFiles, row: int) -> str | None:
    try:
        pixels = decode(x.paths[row], at_least=SIDE)
    except Unreadable:
        return None
    return _uri(_fitted(Image.fromarray(pixels.permute(1, 2, 0).numpy())))


def _image(pixels: Tensor) -> Image.Image:
    """One sample of a tensor of images."""
    array = pixels.numpy()
    array = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    image = Image.fromarray(array)
    if image.mode != "RGBA":
        return image.convert("RGB")
    over_white = Image.new("RGB", image.size, "white")
    over_white.paste(image, mask=image.getchannel("A"))
    return over_white


def _fitted(image: Image.Image) -> Image.Image:
    """As large as the page shows it: reduced to `SIDE`, or enlarged so that its pixels can be seen."""
    longer = max(image.size)
    if longer <= SMALL:
        times = max(1, SIDE // longer)
        return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    times_smaller = min(1.0, SIDE / longer)
    size = (max(1, round(image.width * times_smaller)), max(1, round(image.height * times_smaller)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _squashed(x: Tensor) -> Tensor:
    """Images of a tensor at the size of a thumbnail, n × 32 × 32 × 3."""
    pixels = x[..., None] if x.ndim == 3 else x
    colours = (pixels[..., :3] if pixels.shape[3] >= 3 else pixels.expand(-1, -1, -1, 3)).permute(0, 3, 1, 2)
    larger = max(x.shape[1:3]) > THUMBNAIL
    size = (THUMBNAIL, THUMBNAIL)
    if larger:
        made = interpolate(colours, size=size, mode="bilinear", antialias=True, align_corners=False)
    else:
        made = interpolate(colours, size=size, mode="nearest")
    return made.permute(0, 2, 3, 1)


def _uri(image: Image.Image) -> str:
    """The smaller of a PNG, which drawings are, and a JPEG, which photos are."""
    return min(_encoded(image, "PNG", optimize=True), _encoded(image, "JPEG", quality=82), key=len)


def _encoded(image: Image.Image, kind: str, **how: object) -> str:
    content = BytesIO()
    image.save(content, kind, **how)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(content.getvalue()).decode()}"
