"""Images: what is left out and why, and what each kind of file becomes, to the pixel."""

import csv
import gzip
import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from regraft.readers.decoding import decode


def stored(image: Image.Image, format: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def noise(height: int, width: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def part(share: float) -> bytes:
    content = stored(noise(200, 300), "JPEG")
    return content[: int(share * len(content))]


def promised(width: int, height: int) -> bytes:
    """A PNG whose header promises pixels that never come."""
    data = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(data)) + b"IHDR" + data
    return start + struct.pack(">I", zlib.crc32(b"IHDR" + data)) + struct.pack(">I", 9) + b"IDAT"


def deep_colour() -> bytes:
    """A PNG of one pixel with 16 bits a channel."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    row = b"\0" + struct.pack(">HHH", 0x12FF, 0x8000, 0xFFFF)
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(row)), chunk(b"IEND", b"")]
    )


def cmyk() -> bytes:
    return stored(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")


def ycck() -> bytes:
    """The same bytes, said to be YCCK: byte 11 of Adobe's segment tells."""
    content = bytearray(cmyk())
    at = content.index(b"Adobe") + 11
    assert content[at] == 0
    content[at] = 2
    return bytes(content)


def see_through() -> bytes:
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    image.putpalette([10, 20, 30, 200, 100, 50])
    return stored(image, transparency=0)


def frames(format: str, **options) -> bytes:
    first, *more = [Image.new("RGB", (8, 8), colour) for colour in ("#ff0000", "#00ff00", "#0000ff")]
    return stored(first, format, save_all=True, append_images=more, **options)


def deep_grey(*values: int) -> bytes:
    return stored(Image.fromarray(np.array([values], np.uint16)))


def floats(*values: float) -> bytes:
    return stored(Image.fromarray(np.array([values], np.float32)), "TIFF")


FITS = gzip.compress(b"SIMPLE  =                    T".ljust(2880) + bytes(100_000))
TRUNCATED = "truncated: the file ends too early"
UNKNOWN = "not a JPEG, PNG, WebP, TIFF, BMP, GIF or PPM image"
LEFT_OUT = [
    ("I1", "JPEG cut at 90 %", lambda: part(0.9), TRUNCATED),
    ("I1", "JPEG cut at 50 %", lambda: part(0.5), TRUNCATED),
    ("I1", "JPEG cut at 2 %", lambda: part(0.02), TRUNCATED),
    ("I2", "zero bytes", lambda: b"", "empty file"),
    ("I2", "text named .jpg", lambda: b"shopping list", "text, not an image"),
    ("I2", "a web page that says 404", lambda: b"<!DOCTYPE html><p>404</p>", "a web page, not an image"),
    ("I3", "float TIFF with NaN", lambda: floats(0, float("nan")), "its floats contain NaN or infinity"),
    ("I8", "bomb of 9500²", lambda: promised(9500, 9500), "9500×9500 pixels, more than 89,478,485"),
    ("I8", "bomb of 13000²", lambda: promised(13000, 13000), "13000×13000 pixels, more than 89,478,485"),
    ("I8", "bomb of 20000²", lambda: promised(20000, 20000), "more than 89,478,485 pixels"),
    ("I8", "gzip FITS", lambda: FITS, UNKNOWN),
    ("I8", "EPS", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%EOF\n", "text, not an image"),
]

# what is given, its bytes, what it becomes in words, and the channels of its pixels from the left
READ = [
    (
        "I3",
        "16-bit grey: 0, 257, 1000, 32768, 65535",
        lambda: deep_grey(0, 257, 1000, 32768, 65535),
        "v/257, rounded: 0, 1, 4, 128, 255",
        [[v] * 3 for v in (0, 1, 4, 128, 255)],
    ),
    ("I3", "16-bit colour", deep_colour, "the high byte of each channel", [[0x12, 0x80, 0xFF]]),
    (
        "I3",
        "float TIFF: −1, 0, 3",
        lambda: floats(-1, 0, 3),
        "its own range becomes 0 … 255: 0, 64, 255",
        [[0] * 3, [64] * 3, [255] * 3],
    ),
    ("I4", "CMYK JPEG of red", cmyk, "RGB: red", [[255, 0, 0]]),
    # Y 255, Cb 0, Cr 0, K 255 are C 76, M 255, Y 28, K 0 by ITU-R 601, and that is R 179, G 0, B 227
    ("I4", "YCCK JPEG", ycck, "CMYK by ITU-R 601, then RGB", [[179, 0, 227]]),
    ("I4", "palette with a transparent colour", see_through, "white there", [[255] * 3, [200, 100, 50]]),
    (
        "I4",
        "grey with alpha 0",
        lambda: stored(Image.new("LA", (1, 1), (9, 0))),
        "over white: the hidden grey is not seen",
        [[255] * 3],
    ),
    (
        "I4",
        "black with alpha 51",
        lambda: stored(Image.new("RGBA", (1, 1), (0, 0, 0, 51))),
        "over white: 204",
        [[204] * 3],
    ),
    (
        "I4",
        "one bit a pixel",
        lambda: stored(Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1")),
        "0 and 255",
        [[0] * 3, [255] * 3],
    ),
    ("I5", "animated GIF", lambda: frames("GIF"), "the first frame", [[255, 0, 0]]),
    ("I5", "animated WebP", lambda: frames("WEBP", lossless=True), "the first frame", [[255, 0, 0]]),
    ("I5", "TIFF of several pages", lambda: frames("TIFF"), "the first page", [[255, 0, 0]]),
    ("I7", "1×1 pixel", lambda: stored(Image.new("RGB", (1, 1), (1, 2, 3))), "read", [[1, 2, 3]]),
    ("I7", "1×20000 pixels", lambda: stored(Image.new("RGB", (1, 20000), (1, 2, 3))), "read", [[1, 2, 3]]),
    ("I7", "15×15 pixels", lambda: stored(Image.new("RGB", (15, 15), (1, 2, 3))), "read", [[1, 2, 3]]),
    (
        "I9",
        "a colour profile (Lab)",
        lambda: stored(
            Image.new("RGB", (1, 1), (1, 2, 3)),
            icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        ),
        "ignored: the numbers are taken as they are",
        [[1, 2, 3]],
    ),
]

OTHERS = [
    ("I6", "EXIF orientation 1 … 8", "turned upright: the prediction is the same for all"),
    ("I9", "progressive JPEG", "the pixels of the sequential one"),
    ("I10", "a link to the folder it is in, .DS_Store, Thumbs.db", "passed over"),
    ("I10", "a link to itself", "left out: too many levels of symbolic links"),
    ("I10", "a pipe named x.jpg", "left out: not a regular file"),
]


def test_the_page_says_so(page):
    rows = [(i, given, f"left out: {reason}") for i, given, _, reason in LEFT_OUT]
    rows += [(i, given, does) for i, given, _, does, _ in READ]
    page("Images", sorted([*rows, *OTHERS], key=lambda row: int(row[0][1:])))


@pytest.mark.parametrize(
    ("made", "reason"), [row[2:] for row in LEFT_OUT], ids=[f"{r[0]} {r[1]}" for r in LEFT_OUT]
)
def test_left_out_with_its_reason(photos, run, made, reason):
    (photos / "day" / "bad.jpg").write_bytes(made())
    result = run("plan", photos, "--backbone", "pixels")
    assert result.exit_code == 0
    assert result.stderr == f"not used: day/bad.jpg: {reason}\n"
    assert "12 image files, 2 classes" in result.stdout


@pytest.mark.parametrize(
    ("made", "pixels"), [(r[2], r[4]) for r in READ], ids=[f"{r[0]} {r[1]}" for r in READ]
)
def test_read_by_the_rule(photos, run, made, pixels):
    content = made()
    seen = decode(content)[:, 0, : len(pixels)].T.numpy()
    assert np.abs(seen - np.array(pixels)).max() <= (3 if b"Adobe" in content else 0)
    (photos / "day" / "odd.jpg").write_bytes(content)
    result = run("plan", photos, "--backbone", "pixels")
    assert result.stderr == ""
    assert "13 image files, 2 classes" in result.stdout


@pytest.fixture
def model(photos, tmp_path):
    from regraft.backbones import glyphs
    from regraft.methods import METHODS
    from regraft.problem import Problem
    from regraft.readers import read_images

    fitted = METHODS["LinearProbe"]().fit(Problem(target_labelled=read_images(photos)), glyphs())
    return fitted.save(tmp_path / "m")


def test_i6_every_orientation_predicts_the_same(model, run, tmp_path):
    """By Pillow's own names for the eight: what a camera stores is the inverse of what a viewer does."""
    seen = noise(24, 32)
    undone = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    (tmp_path / "turned").mkdir()
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = seen.transpose(undone[orientation]) if orientation > 1 else seen
        image.save(tmp_path / "turned" / f"{orientation}.png", exif=exif)
    rows = list(csv.reader(io.StringIO(run("predict", model, tmp_path / "turned", "--probabilities").stdout)))
    assert len(rows) == 9
    assert len({tuple(row[1:]) for row in rows[1:]}) == 1


def test_i9_progressive_is_sequential():
    image = noise(64, 64)
    assert (decode(stored(image, "JPEG", progressive=True)) == decode(stored(image, "JPEG"))).all()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_i10_what_lies_in_folders(photos, run):
    (photos / "day" / "again").symlink_to(photos)
    (photos / "day" / "self.jpg").symlink_to(photos / "day" / "self.jpg")
    for name in (".DS_Store", "Thumbs.db", "day/.DS_Store", "day/Thumbs.db"):
        (photos / name).write_bytes(b"\0")
    os.mkfifo(photos / "day" / "x.jpg")
    result = run("plan", photos, "--backbone", "pixels")
    assert result.stderr.splitlines() == [
        "not used: day/self.jpg: too many levels of symbolic links",
        "not used: day/x.jpg: not a regular file",
    ]
    assert "12 image files, 2 classes" in result.stdout
