import base64
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from regraft.readers import read_images, read_table
from regraft.report.pictures import COLUMNS, SIDE, pictures, sheet, titles, values


def opened(uri):
    kind, content = uri.split(";base64,")
    assert kind in ("data:image/png", "data:image/jpeg")
    return Image.open(BytesIO(base64.b64decode(content)))


@pytest.fixture
def photos(tmp_path):
    """A wide photo with a place in its EXIF, and a picture in grey."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (300, 600, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    Image.fromarray(pixels).save(tmp_path / "a" / "wide.jpg", exif=exif)
    Image.new("L", (90, 90), 100).save(tmp_path / "b" / "grey.png")
    return tmp_path


def test_files_are_made_smaller_and_lose_what_is_not_pixels(photos):
    wide, grey = pictures(read_images(photos).x, [0, 1])
    assert opened(wide).size == (SIDE, SIDE // 2)
    assert not opened(wide).getexif()
    assert opened(grey).size == (90, 90)
    assert opened(grey).convert("RGB").getpixel((5, 5)) == (100, 100, 100)


def test_a_file_that_has_gone_is_passed_over(photos):
    x = read_images(photos).x
    (photos / "a" / "wide.jpg").unlink()
    gone, there = pictures(x, [0, 1])
    assert gone is None
    assert there is not None


@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 8, 8, 1), (3, 8, 8, 3), (3, 8, 8, 4)])
def test_small_arrays_are_enlarged_pixel_by_pixel(shape):
    x = torch.zeros(shape, dtype=torch.uint8)
    x[:, 0, 0] = 255
    (uri,) = pictures(x, [1])
    image = opened(uri).convert("RGB")
    assert image.size == (SIDE, SIDE)
    assert min(image.getpixel((SIDE // 16, SIDE // 16))) > 250


def test_a_sheet_holds_the_rows_in_order():
    x = torch.zeros(COLUMNS + 2, 32, 32, dtype=torch.uint8)
    x[1], x[COLUMNS + 1] = 100, 200
    image = opened(sheet(x, [*range(COLUMNS + 2)]))
    assert image.size == (32 * COLUMNS, 64)
    shades = [image.getpixel((16 + 32 * i, 16 + 32 * j))[0] for i, j in ((0, 0), (1, 0), (1, 1), (2, 1))]
    assert shades == pytest.approx([0, 100, 200, 0], abs=3)


def test_what_has_no_picture_has_values(tmp_path):
    (tmp_path / "t.csv").write_text("size,colour,label\n1.5,red,a\n2,blue,b\n")
    table = read_table(tmp_path / "t.csv").x
    assert pictures(table, [0]) == [None]
    assert sheet(table, [0]) is None
    assert values(table, 1) == "size 2, colour blue"
    assert titles(table) == ["row 2", "row 3"]
    assert values(torch.tensor([[0.5] * 9]), 0) == "0.5, 0.5, 0.5, 0.5, 0.5, 0.5, …"
