"""From the bytes of an image file to pixels, by one stated rule for every kind of file."""

import codecs
import os
import stat
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.nn.functional import interpolate

from ..errors import InputError

Colour = Literal["rgb", "grey"]
Item = TypeVar("Item")
Result = TypeVar("Result")

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM")
MOST_PIXELS = 89_478_485  # 256 MiB of RGB: where Pillow begins to warn of a decompression bomb
MOST_BYTES = 1 << 30
TURNED = (5, 6, 7, 8)  # EXIF orientations in which height and width change places
THUMBNAIL = 32  # pixels a side: what a linear model on raw pixels can make use of

# what `decode` does, for the folders of models; whoever changes the one changes the other
RULE: dict[str, Any] = {
    "formats": list(FORMATS),
    "frame": "the first",
    "orientation": "EXIF orientation is applied",
    "colour profile": "not applied",
    "transparency": "over white",
    "16-bit grey": "v / 257, rounded",
    "16-bit colour": "the high byte",
    "floats and 32-bit integers": "the image's own minimum is 0 and its maximum 255",
    "CMYK, YCCK, palette, black and white": "converted to the colours that they stand for",
    "grey from colour": "0.299 R + 0.587 G + 0.114 B",
    "large JPEG": "decoded 2, 4 or 8 times smaller while both sides still cover the scaled size",
}


class Unreadable(InputError):
    """An image file that cannot be used; the message is the reason, short enough for a table."""


def decode(
    file: Path | bytes, *, colour: Colour = "rgb", at_least: int | None = None
) -> UInt8[Tensor, "c h w"]:
    """The pixels of an image file, three channels or one (`colour`), as they are meant to be seen.

    - Formats: JPEG, PNG, WebP, TIFF, BMP, GIF, PPM, recognised by content. Of several frames, the first.
    - EXIF orientation is applied; a colour profile is not.
    - 16-bit grey v becomes v/257, rounded; of 16-bit colour the high byte is taken.
    - Floats and 32-bit integers are scaled so that the image's own minimum is 0 and its maximum 255.
    - CMYK and YCCK become RGB; a palette is looked up; black and white are 0 and 255.
    - Whatever is transparent lies over white.
    - Grey from colour is 0.299 R + 0.587 G + 0.114 B (ITU-R 601).
    - `at_least`: a JPEG may come 2, 4 or 8 times smaller as long as neither side falls below this
      many pixels (libjpeg's scaled decoding, several times faster for photos).

    Raises `Unreadable` with the reason: truncated or damaged data, another format, text or a web page
    under an image's name, an empty file, anything but a regular file, or, judged by the header alone,
    more than 89,478,485 pixels.

    >>> hidden = BytesIO()
    >>> Image.new("RGBA", (2, 1), (255, 0, 0, 0)).save(hidden, "PNG")
    >>> decode(hidden.getvalue()).tolist()
    [[[255, 255]], [[255, 255]], [[255, 255]]]
    """
    content = file if isinstance(file, bytes) else read_file(file)
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Unreadable(f"{image.width}×{image.height} pixels, more than {MOST_PIXELS:,}")
            if at_least is not None:
                image.draft(None, (at_least, at_least))
            image.load()
            with suppress(Exception):  # damaged EXIF says nothing about the pixels, which are loaded by now
                ImageOps.exif_transpose(image, in_place=True)
            return as_tensor(in_colour(_in_bytes(image), colour))
    except Unreadable:
        raise
    except UnidentifiedImageError as reason:
        raise Unreadable(_what_else(content)) from reason
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as reason:
        raise Unreadable(f"more than {MOST_PIXELS:,} pixels") from reason
    except Exception as reason:  # a damaged file may raise anything in a decoder
        raise Unreadable(_in_short(reason)) from reason


def size_of(content: bytes) -> tuple[int, int]:
    """Height and width as `decode` has them, by the header alone."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
            with suppress(Exception):  # as in `decode`
                if image.getexif().get(ExifTags.Base.Orientation, 1) in TURNED:
                    width, height = height, width
    except Exception as reason:
        raise Unreadable(_what_else(content)) from reason
    return height, width


def thumbnail(file: Path | bytes) -> UInt8[Tensor, "3 32 32"]:
    """The image squashed to 32×32 pixels, averaged over all that they cover; damage shows as in `decode`."""
    pixels = decode(file, at_least=THUMBNAIL)[None]
    size = (THUMBNAIL, THUMBNAIL)
    return interpolate(pixels, size=size, mode="bilinear", antialias=True, align_corners=False)[0]


def read_file(path: Path, most: int | None = MOST_BYTES) -> bytes:
    """The bytes of a regular file of at most `most`; pipes and devices are refused before they can block."""
    try:
        seen = path.stat()
        if stat.S_ISDIR(seen.st_mode):
            raise Unreadable("a folder, not a file")
        if not stat.S_ISREG(seen.st_mode):
            raise Unreadable("not a regular file")
        if most is not None and seen.st_size > most:
            raise Unreadable(f"larger than {most >> 20:,} MiB")
        return path.read_bytes()
    except FileNotFoundError as reason:
        raise Unreadable("no such file") from reason
    except OSError as reason:
        raise Unreadable((reason.strerror or str(reason)).lower()) from reason


def in_colour(image: Image.Image, colour: Colour) -> Image.Image:
    """The image in RGB or grey, eight bits a channel, over white where it is transparent.

    >>> in_colour(Image.new("LA", (1, 1), (0, 128)), "grey").getpixel((0, 0))
    127
    """
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(seen, mask=seen.getchannel("A"))
    wanted = "L" if colour == "grey" else "RGB"
    return image if image.mode == wanted else image.convert(wanted)


def as_tensor(image: Image.Image) -> UInt8[Tensor, "c h w"]:
    """The pixels, channels first in shape and last in memory, which is how they are resized fastest."""
    pixels = torch.from_numpy(np.array(image))
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)


def in_threads(
    work: Callable[[Item], Result], items: Sequence[Item], done: Callable[[], object] = lambda: None
) -> list[Result]:
    """work(item) for each item, in order, on all cores: decoding and resizing release Python's lock.

    `done` is called after each. An error or an interrupt drops what has not begun.

    >>> in_threads(str, [1, 2])
    ['1', '2']
    """
    results = []
    pool = ThreadPoolExecutor(min(_cores(), max(len(items), 1)))
    try:
        for result in [pool.submit(work, item) for item in items]:
            results.append(result.result())
            done()
    finally:
        pool.shutdown(cancel_futures=True)
    return results


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_bytes(image: Image.Image) -> Image.Image:
    """Deep grey as eight bits."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return Image.fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8))
    if image.mode not in ("I", "F"):
        return image
    v = np.asarray(image, dtype=np.float64)
    if not np.isfinite(v).all():
        raise Unreadable("its floats contain NaN or infinity")
    span = v.max() - v.min()
    return Image.fromarray(np.rint(255 * (v - v.min()) / (span or 1)).astype(np.uint8))


def _what_else(content: bytes) -> str:
    """What a file that no decoder knows seems to be."""
    if not content:
        return "empty file"
    start = content[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page, not an image"
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the image itself"
    try:
        words = codecs.getincrementaldecoder("utf-8")().decode(start)  # whose last letter may be cut
        if all(c.isprintable() or c.isspace() for c in words):
            return "text, not an image"
    except UnicodeDecodeError:
        pass
    return "not a JPEG, PNG, WebP, TIFF, BMP, GIF or PPM image"


def _in_short(reason: Exception) -> str:
    said = " ".join(str(reason).split()) or type(reason).__name__
    return "truncated: the file ends too early" if "truncated" in said.lower() else said[:120]
