"""The class of every pixel in a PNG file, and back."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from .decoding import MOST_PIXELS, Unreadable

CLASSES = 256  # that eight bits can tell


def label_map(content: bytes) -> UInt8[Tensor, "h w"]:
    """The value of every pixel of a PNG file: the position in its palette, or the level of grey.

    Colours of the palette do not matter. Raises `Unreadable` for colours without a palette, transparency
    beside grey, values above 255 and whatever else is no such file.

    >>> label_map(palette_png(torch.tensor([[0, 2, 255]], dtype=torch.uint8))).tolist()
    [[0, 2, 255]]
    """
    try:
        with Image.open(BytesIO(content), formats=["PNG"]) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Unreadable(f"{image.width}×{image.height} pixels, more than {MOST_PIXELS:,}")
            values = np.asarray(image)
            mode = image.mode
    except Unreadable:
        raise
    except Exception as reason:  # a damaged file may raise anything in a decoder
        raise Unreadable("not a PNG file that can be read") from reason
    if values.ndim != 2:
        raise Unreadable(f"colours ({mode}) instead of classes: save it with a palette, or as grey levels")
    if values.dtype != np.bool_ and values.max(initial=0) >= CLASSES:
        raise Unreadable(f"values up to {values.max()}: classes are 0 to 254, and 255 is void")
    return torch.from_numpy(values.astype(np.uint8))


def palette_png(classes: UInt8[Tensor, "h w"]) -> bytes:
    """A PNG file with a palette in which every pixel holds its class; colours are those of Pascal VOC."""
    image = Image.fromarray(classes.numpy(), mode="P")
    image.putpalette([level for colour in voc_palette() for level in colour])
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def voc_palette() -> Sequence[tuple[int, int, int]]:
    """The colours of 256 classes as Pascal VOC has them: bits of the class, spread over red, green and blue.

    >>> voc_palette()[:4], voc_palette()[255]
    ([(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)], (224, 224, 192))
    """

    def level(c: int, channel: int) -> int:
        return sum(((c >> (3 * place + channel)) & 1) << (7 - place) for place in range(8))

    return [(level(c, 0), level(c, 1), level(c, 2)) for c in range(CLASSES)]
