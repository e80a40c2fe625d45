"""Files that pretend to be small pictures: each is left out with its reason, and the rest is read."""

import gzip
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(side: int) -> bytes:
    """A true PNG of side × side colour pixels, all black: kilobytes that unpack to gigabytes."""
    size, block = side * (1 + 3 * side), 1 << 20
    packer = zlib.compressobj(9)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    packed = packer.compress(bytes(block)) + packer.flush(zlib.Z_FULL_FLUSH)  # of zeros, each block alike
    rest = packer.compress(bytes(size % block)) + packer.flush()
    checksum = struct.pack(">I", size % 65521 << 16 | 1)  # Adler-32 of `size` zeros
    data = start + packed * (size // block) + rest[:-4] + checksum
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A PNG of one pixel with a compressed comment of 50 MB."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    comment = b"Comment\0\0" + zlib.compress(bytes(50_000_000), 9)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"zTXt", comment),
            chunk(b"IDAT", zlib.compress(b"\0\0")),
            chunk(b"IEND", b""),
        ]
    )


def fits() -> bytes:
    card = lambda text: text.ljust(80).encode()  # noqa: E731
    header = [
        "SIMPLE  =                    T",
        "BITPIX  =                    8",
        "NAXIS   =                    2",
        "NAXIS1  =                30000",
        "NAXIS2  =                30000",
        "END",
    ]
    return gzip.compress(b"".join(map(card, header)).ljust(2880) + bytes(50_000_000))


def endless_gif() -> bytes:
    """A GIF that promises 65535 × 65535 pixels."""
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0)
        + b","
        + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
    )


PIXELS = "pixels"
NOT = "not a JPEG, PNG, WebP, TIFF, BMP, GIF or PPM image"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(touch canary) system\n"
XML = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><svg>&b;</svg>'

ATTACKS = {
    "I8 bomb of 9500²": (lambda: bomb(9500), PIXELS),
    "I8 bomb of 13000²": (lambda: bomb(13000), PIXELS),
    "I8 bomb of 20000²": (lambda: bomb(20000), PIXELS),
    "I8 comment of 50 MB": (text_bomb, "ecompressed"),
    "I8 gzip FITS": (fits, NOT),
    "I8 EPS": (lambda: EPS, "text, not an image"),
    "I8 GIF of 65535²": (endless_gif, NOT),
    "I2 SVG named .png": (lambda: SVG, "text, not an image"),
    "I2 XML with entities": (lambda: XML, "text, not an image"),
    "I2 web page": (lambda: b"<!DOCTYPE html><script>alert(1)</script>", "a web page, not an image"),
    "I2 nothing": (lambda: b"", "empty file"),
    "PPM of 10¹⁸ pixels": (lambda: b"P6 1000000000 1000000000 255\n", PIXELS),
    "PPM of a number without end": (lambda: b"P6 " + b"9" * 1_000_000, ""),
    "BMP of −2³¹ rows": (
        lambda: b"BM" + bytes(12) + struct.pack("<IiiHH", 40, 100, -(2**31), 1, 24) + bytes(24),
        "",
    ),
    "TIFF whose directories go in a circle": (
        lambda: b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
        "",
    ),
    "TIFF of 65535 entries": (lambda: b"II*\0\x08\0\0\0\xff\xff" + os.urandom(64), ""),
    "WebP that lies about its length": (lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8L" + b"\xff" * 64, ""),
    "JPEG of 65500² in a hundred bytes": (
        lambda: (
            b"\xff\xd8\xff\xc0\0\x11\x08\xff\xdc\xff\xdc\x03\x01\x11\0\x02\x11\x01\x03\x11\x01\xff\xda"
            + bytes(80)
        ),
        "",
    ),
    "noise after a good start": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, ""),
}


@pytest.fixture
def photos(tmp_path):
    """One good picture of each of two classes."""
    rng = np.random.default_rng(0)
    for name in ("day", "night"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        pixels = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / name / "good.png")
    return tmp_path / "photos"


@pytest.mark.parametrize(("made", "told"), ATTACKS.values(), ids=ATTACKS)
def test_is_left_out_with_its_reason(attack, photos, canary, made, told):
    (photos / "day" / "evil.png").write_bytes(made())
    answer = attack("plan", photos, "--backbone", "glyphs")
    assert not answer.hung
    assert answer.code == 0
    assert answer.err.startswith("not used: day/evil.png: ")
    assert answer.err.count("\n") == 1
    assert told in answer.err
    assert "2 image files, 2 classes" in answer.out
    assert answer.mebibytes < 400
    assert answer.seconds < 10


def test_alone_it_is_an_error(attack, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "evil.png").write_bytes(bomb(9500))
    attack("fit", "photos", "--backbone", "glyphs").refuses("")


def test_a_picture_that_is_all_width_fits_into_memory(attack, photos):
    """20,000,000 × 1 pixels are few; scaled until one is as high as the network's input they are not."""
    header = struct.pack(">IIBBBBB", 20_000_000, 1, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(20_000_001), 9)
    (photos / "day" / "long.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )
    answer = attack("plan", photos, "--backbone", "glyphs")
    assert (answer.code, answer.err) == (0, "")
    assert answer.mebibytes < 600
