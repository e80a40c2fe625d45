"""What an image file says beside its pixels."""

from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import final

from PIL import ExifTags, Image

from .decoding import FORMATS, MOST_PIXELS, Unreadable

# the sum of the quantisation table of luminance at quality 50, in the standard's annex K
LUMINANCE = 3688
MOST_LETTERS = 60  # of a camera's name


@final
@dataclass(frozen=True)
class FileFacts:
    """What the header of an image file says.

    format: "JPEG", "PNG" …. quality: of a JPEG, on the scale of libjpeg, by its quantisation table; None of
    others. camera: make and model by EXIF, if it says so. bytes: the size of the file.
    """

    format: str
    quality: float | None
    camera: str | None
    bytes: int


def facts_of(content: bytes) -> FileFacts:
    """The facts in the bytes of an image file; its pixels are not decoded.

    >>> file = BytesIO()
    >>> Image.new("RGB", (8, 8)).save(file, "JPEG", quality=85)
    >>> found = facts_of(file.getvalue())
    >>> found.format, found.quality, found.camera
    ('JPEG', 85.0, None)
    """
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Unreadable(f"more than {MOST_PIXELS:,} pixels")
            told = None
            with suppress(Exception):  # damaged EXIF says nothing
                told = _camera(image)
            tables = getattr(image, "quantization", None)
            return FileFacts(image.format or "unknown", _quality(tables), told, len(content))
    except Unreadable:
        raise
    except Exception as reason:  # a damaged file may raise anything in a decoder
        raise Unreadable("not an image") from reason


def _camera(image: Image.Image) -> str | None:
    """Make and model, the make only once.

    >>> photo = Image.new("L", (1, 1))
    >>> photo.getexif()[271], photo.getexif()[272] = "Canon", "Canon EOS 5D"
    >>> _camera(photo)
    'Canon EOS 5D'
    """
    exif = image.getexif()
    parts = [exif.get(tag) for tag in (ExifTags.Base.Make, ExifTags.Base.Model)]
    make, model = (" ".join(p.replace("\0", " ").split()) if isinstance(p, str) else "" for p in parts)
    told = model if model.startswith(make) else f"{make} {model}".strip()
    return told[:MOST_LETTERS] or None


def _quality(tables: dict[int, list[int]] | None) -> float | None:
    """From the first table t: 5000 / s for scales s = 100 Σ t / Σ t₅₀ above 100, else (200 − s) / 2."""
    if not tables or 0 not in tables:
        return None
    scale = 100 * sum(tables[0]) / LUMINANCE
    found = 5000 / scale if scale > 100 else (200 - scale) / 2
    return float(round(min(max(found, 1.0), 100.0)))
