"""Every rule of `decode` on the values of pixels, and every reason for refusing a file."""

import os
import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from regraft.errors import InputError
from regraft.readers.decoding import Unreadable, decode, in_threads, read_file


def stored(image: Image.Image, format: str = "PNG", **options) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def noise(height: int, width: int, *channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, *channels), dtype=np.uint8)


def corner(content: bytes, **options) -> list[int]:
    """The channels of the first pixel."""
    return decode(content, **options)[:, 0, 0].tolist()


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM"])
def test_colour_survives(format):
    pixels = noise(5, 4, 3)
    x = decode(stored(Image.fromarray(pixels), format))
    assert x.dtype == torch.uint8
    assert np.array_equal(x.permute(1, 2, 0).numpy(), pixels)


def test_lossless_webp_survives():
    pixels = noise(5, 4, 3)
    assert np.array_equal(
        decode(stored(Image.fromarray(pixels), "WEBP", lossless=True)).permute(1, 2, 0), pixels
    )


@pytest.mark.parametrize("colour", ["rgb", "grey"])
def test_channels(colour):
    pixels = noise(5, 4)
    x = decode(stored(Image.fromarray(pixels)), colour=colour)
    assert x.shape == ({"rgb": 3, "grey": 1}[colour], 5, 4)
    assert np.array_equal(x[0], pixels)


def test_grey_weighs_the_colours():
    pixels = noise(5, 4, 3)
    x = decode(stored(Image.fromarray(pixels)), colour="grey")
    expected = pixels @ np.array([0.299, 0.587, 0.114])
    assert np.abs(x[0].numpy() - expected).max() <= 0.51


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """What a camera stores so that a viewer who obeys `orientation` sees `pixels`: written from the standard,
    which says where the first row and the first column of the stored picture belong."""
    return {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.T,
        6: pixels.T[::-1],
        7: pixels.T[::-1, ::-1],
        8: pixels.T[:, ::-1],
    }[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_orientation(orientation, format):
    pixels = noise(3, 5)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(turned(pixels, orientation)))
    assert np.array_equal(decode(stored(image, format, exif=exif), colour="grey")[0], pixels)


def test_orientation_of_a_scaled_photo():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = stored(Image.new("RGB", (640, 320)), "JPEG", exif=exif)
    assert decode(content, at_least=100).shape == (3, 320, 160)


def test_damaged_exif_leaves_the_pixels():
    content = stored(Image.new("L", (2, 2), 7), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert corner(content, colour="grey") == [7]


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_deep_grey_keeps_its_range(format):
    pixels = np.array([[0, 257, 1000, 32768, 65535]], dtype=np.uint16)
    x = decode(stored(Image.fromarray(pixels), format), colour="grey")
    assert x.flatten().tolist() == [0, 1, 4, 128, 255]


def test_big_endian_deep_grey():
    file = b"P5 2 1 65535\n" + struct.pack(">HH", 257 * 9, 65535)
    assert decode(file, colour="grey").flatten().tolist() == [9, 255]


def test_deep_colour_takes_the_high_byte():
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    row = b"\0" + struct.pack(">HHH", 0x12FF, 0x8000, 0xFFFF)
    file = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(row))
        + chunk(b"IEND", b"")
    )
    assert corner(file) == [0x12, 0x80, 0xFF]


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_floats_and_long_integers_span_their_own_range(kind):
    pixels = np.array([[-100, 0, 100, 300]], dtype=kind)
    x = decode(stored(Image.fromarray(pixels), "TIFF"), colour="grey")
    assert x.flatten().tolist() == [0, 64, 128, 255]


def test_constant_floats_are_black():
    assert corner(stored(Image.fromarray(np.full((2, 2), 7.0, np.float32)), "TIFF")) == [0, 0, 0]


def test_floats_with_nan_are_refused():
    with pytest.raises(Unreadable, match="NaN"):
        decode(stored(Image.fromarray(np.array([[np.nan, 1]], np.float32)), "TIFF"))


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk(format):
    content = stored(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), format)
    assert np.abs(np.array(corner(content)) - [255, 0, 0]).max() <= 3


def test_palette():
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    image.putpalette([10, 20, 30, 200, 100, 50])
    assert decode(stored(image)).permute(1, 2, 0).tolist() == [[[10, 20, 30], [200, 100, 50]]]
    see_through = stored(image, transparency=1)
    assert decode(see_through).permute(1, 2, 0).tolist() == [[[10, 20, 30], [255, 255, 255]]]


@pytest.mark.parametrize(
    ("mode", "pixel", "expected"),
    [
        ("RGBA", (255, 0, 0, 0), [255, 255, 255]),
        ("RGBA", (255, 0, 0, 255), [255, 0, 0]),
        ("RGBA", (0, 0, 0, 51), [204, 204, 204]),
        ("LA", (9, 0), [255, 255, 255]),
        ("LA", (9, 255), [9, 9, 9]),
    ],
)
def test_transparency_lies_over_white(mode, pixel, expected):
    assert corner(stored(Image.new(mode, (2, 2), pixel))) == expected


@pytest.mark.parametrize(("mode", "pixel"), [("RGB", (1, 2, 3)), ("L", 4), ("1", 0)])
def test_a_colour_named_transparent_lies_over_white(mode, pixel):
    assert corner(stored(Image.new(mode, (2, 2), pixel), transparency=pixel)) == [255, 255, 255]


def test_black_and_white():
    image = Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1")
    assert decode(stored(image), colour="grey").flatten().tolist() == [0, 255]


@pytest.mark.parametrize(
    ("format", "options"), [("GIF", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("PNG", {})]
)
def test_first_of_several_frames(format, options):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("#ff0000", "#00ff00", "#0000ff")]
    assert corner(stored(frames[0], format, save_all=True, append_images=frames[1:], **options)) == [
        255,
        0,
        0,
    ]


@pytest.mark.parametrize(
    ("at_least", "size"),
    [(None, (400, 600)), (401, (400, 600)), (200, (200, 300)), (64, (100, 150)), (1, (50, 75))],
)
def test_photos_come_smaller_where_that_is_enough(at_least, size):
    content = stored(Image.new("RGB", (600, 400)), "JPEG")
    assert decode(content, at_least=at_least).shape[1:] == size


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("part", [0.9, 0.5, 0.1])
@pytest.mark.parametrize("at_least", [None, 1])
def test_truncated_photos_are_refused(progressive, part, at_least):
    content = stored(Image.fromarray(noise(200, 300, 3)), "JPEG", progressive=progressive)
    with pytest.raises(Unreadable, match="truncated"):
        decode(content[: int(part * len(content))], at_least=at_least)


@pytest.mark.parametrize("format", ["PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM"])
def test_other_truncated_files_are_refused(format):
    content = stored(Image.fromarray(noise(60, 60, 3)), format)
    with pytest.raises(Unreadable):
        decode(content[: len(content) // 2])


def test_the_switch_for_truncated_files_stays_off():
    decode(stored(Image.new("L", (2, 2))))
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"just some words", "text, not an image"),
        ("naïve café".encode()[:-1], "text, not an image"),
        (b"\n<!DOCTYPE html><html>404</html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (bytes(range(256)), "not a JPEG"),
        (b"\xff\xfe\xfd\xfc" * 9, "not a JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "text, not an image"),
    ],
)
def test_what_is_no_image_is_named(content, reason):
    with pytest.raises(Unreadable, match=reason):
        decode(content)


def header_only(width: int, height: int) -> bytes:
    """A PNG whose header promises pixels that never come."""
    data = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(data)) + b"IHDR" + data
    return start + struct.pack(">I", zlib.crc32(b"IHDR" + data)) + struct.pack(">I", 9) + b"IDAT"


@pytest.mark.parametrize("side", [9_500, 13_000, 20_000])
def test_bombs_are_refused_by_their_header(side):
    with pytest.raises(Unreadable, match="pixels"):
        decode(header_only(side, side))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Unreadable, match="pixels"):
            decode(header_only(side, side))


def test_unreadable_is_an_input_error():
    assert issubclass(Unreadable, InputError)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_block(tmp_path: Path):
    os.mkfifo(tmp_path / "x.jpg")
    with pytest.raises(Unreadable, match="not a regular file"):
        decode(tmp_path / "x.jpg")


def test_what_is_not_a_file(tmp_path: Path):
    (tmp_path / "x.jpg").mkdir()
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nowhere.jpg")
    with pytest.raises(Unreadable, match="a folder"):
        decode(tmp_path / "x.jpg")
    with pytest.raises(Unreadable, match="no such file"):
        decode(tmp_path / "broken.jpg")


def test_huge_files_are_not_read(tmp_path: Path):
    with (tmp_path / "huge.tif").open("wb") as file:
        file.truncate((1 << 30) + 1)
    with pytest.raises(Unreadable, match="1,024 MiB"):
        read_file(tmp_path / "huge.tif")


def test_threads_keep_the_order_and_pass_errors_on():
    done = []
    assert in_threads(lambda i: i * i, range(50), lambda: done.append(1)) == [i * i for i in range(50)]
    assert len(done) == 50
    assert in_threads(str, []) == []
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda i: 1 / i, [1, 0, 2])
