"""Masks from PNG files: values, names, sizes, and what is wrong with them in one line."""

import numpy as np
import pytest
import torch
from PIL import Image

from regraft.errors import InputError
from regraft.preprocessing.images import ImagePreprocessing
from regraft.readers import read_masks
from regraft.readers.decoding import Unreadable
from regraft.readers.label_maps import label_map, palette_png, voc_palette


@pytest.fixture
def folders(tmp_path):
    """Two pictures whose left part is an owl, with masks: one by palette, one in grey levels."""
    images, masks = tmp_path / "images", tmp_path / "masks"
    for folder in (images / "wood", masks / "wood"):
        folder.mkdir(parents=True)
    for name, size in (("a.jpg", (20, 12)), ("wood/b.png", (8, 16))):
        picture = Image.new("RGB", size)
        picture.paste((255, 255, 255), (0, 0, size[0] // 2, size[1]))
        picture.save(images / name)
        mask = np.zeros(size[::-1], np.uint8)
        mask[:, : size[0] // 2] = 1
        mask[0] = 255
        target = (masks / name).with_suffix(".png")
        if name == "a.jpg":
            target.write_bytes(palette_png(torch.from_numpy(mask)))
        else:
            Image.fromarray(mask).save(target)
    (masks / "classes.txt").write_text("sky\nowl\n")
    return images, masks


def test_masks_follow_their_images(folders):
    birds = read_masks(*folders, side=8)
    assert str(birds) == "2 image files, masks of 2 classes"
    assert birds.output.names == ("sky", "owl")
    assert birds.y.shape == (2, 8, 8)
    assert (birds.y[:, 1:, :4] == 1).all()
    assert (birds.y[:, 1:, 4:] == 0).all()
    of_a = birds.y[birds.x.names().index("a.jpg")]
    assert (of_a[0] == 255).all()


@pytest.mark.parametrize("size", [(9, 31), (64, 64), (40, 17)])
def test_pixels_and_masks_have_one_geometry(size, tmp_path):
    """Every place of the squashed picture is as bright as its class says, wherever no border runs."""
    luck = np.random.default_rng(0)
    blocks = luck.integers(0, 2, (3, 2)).astype(np.uint8)
    mask = np.kron(blocks, np.ones((size[0], size[1]), np.uint8))
    (tmp_path / "i").mkdir()
    (tmp_path / "m").mkdir()
    Image.fromarray(255 * mask).save(tmp_path / "i" / "x.png")
    Image.fromarray(mask).save(tmp_path / "m" / "x.png")
    seen = read_masks(tmp_path / "i", tmp_path / "m", side=24)
    rule = ImagePreprocessing((24, 24), "squash", 1.0)
    pixels = rule(seen.x)[0, 0].float() / 255
    inner = torch.zeros(24, 24, dtype=torch.bool)
    for row in range(3):
        for column in range(2):
            inner[8 * row + 2 : 8 * row + 6, 12 * column + 2 : 12 * column + 10] = True
    assert torch.equal(pixels[inner].round().long(), seen.y[0][inner].long())


def test_a_turned_photo_is_compared_as_it_is_seen(folders):
    images, masks = folders
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (12, 20)).save(images / "a.jpg", exif=exif)  # seen as 20 × 12
    assert len(read_masks(images, masks)) == 2


def test_values_without_names_are_numbers(folders):
    (folders[1] / "classes.txt").unlink()
    assert read_masks(*folders).output.names == ("0", "1")
    assert read_masks(*folders, classes=["sky", "owl", "crow"]).output.names == ("sky", "owl", "crow")


def test_images_without_a_usable_mask_are_left_out(folders):
    images, masks = folders
    (masks / "a.png").write_bytes(b"no picture")
    Image.new("RGB", (4, 4)).save(images / "c.png")
    birds = read_masks(images, masks)
    assert birds.x.names() == ["wood/b.png"]
    assert dict(birds.left_out) == {
        "a.jpg": "its mask cannot be used: not a PNG file that can be read",
        "c.png": "it has no mask",
    }


def test_masks_inside_the_folder_of_images_are_no_images(folders):
    images, masks = folders
    masks.rename(images / "masks")
    assert len(read_masks(images, images / "masks")) == 2


def damaged(masks, values, name="a.png"):
    Image.fromarray(np.asarray(values, np.uint8)).save(masks / name)


def test_another_size_is_an_error(folders):
    damaged(folders[1], np.zeros((12, 19)))
    with pytest.raises(InputError, match=r"mask of a.jpg has 19×12 pixels and the image 20×12"):
        read_masks(*folders)


def test_an_unknown_value_is_an_error(folders):
    damaged(folders[1], np.full((12, 20), 7))
    with pytest.raises(InputError, match=r"mask of a.jpg holds 7, and there are 2 classes \(sky, owl\)"):
        read_masks(*folders)


def test_black_and_white_masks_are_not_taken_for_void(folders):
    for name, shape in (("a.png", (12, 20)), ("wood/b.png", (16, 8))):
        damaged(folders[1], 255 * np.eye(*shape), name)
    with pytest.raises(InputError, match="0 and 255 only"):
        read_masks(*folders)


def test_no_mask_at_all(folders, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no mask for any image .*a\.png for a\.jpg"):
        read_masks(folders[0], tmp_path / "empty")
    with pytest.raises(InputError, match="does not exist"):
        read_masks(folders[0], tmp_path / "nowhere")


def test_two_images_that_would_share_a_mask(folders):
    Image.new("RGB", (20, 12)).save(folders[0] / "a.png")
    with pytest.raises(InputError, match="would share one mask"):
        read_masks(*folders)


def test_colours_are_no_classes(tmp_path):
    Image.new("RGB", (3, 3)).save(tmp_path / "m.png")
    with pytest.raises(Unreadable, match="save it with a palette"):
        label_map((tmp_path / "m.png").read_bytes())
    Image.fromarray(np.full((3, 3), 300, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(Unreadable, match="values up to 300"):
        label_map((tmp_path / "deep.png").read_bytes())


def test_a_written_mask_is_read_again_and_looks_like_pascal_voc(tmp_path):
    values = torch.arange(256, dtype=torch.uint8).reshape(16, 16)
    content = palette_png(values)
    assert torch.equal(label_map(content), values)
    (tmp_path / "m.png").write_bytes(content)
    assert (
        Image.open(tmp_path / "m.png").convert("RGB").getpixel((15, 0))
        == voc_palette()[15]
        == (192, 128, 128)
    )
