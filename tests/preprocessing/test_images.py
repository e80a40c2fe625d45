"""Pictures are prepared as Pillow, torchvision and timm prepare them for evaluation."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from regraft.errors import InputError
from regraft.preprocessing import preprocessing_from_json
from regraft.preprocessing.images import ImagePreprocessing
from regraft.readers import image_files, read_images

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
SIZES = [(40, 40), (60, 45), (45, 61), (17, 23), (100, 333)]


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    """Smooth, with edges and noise: what filters disagree on."""
    v, u = np.mgrid[:height, :width]
    waves = [np.sin(u / (3 + c)) * np.cos(v / (4 + c)) > 0.2 for c in range(channels)]
    noise = np.random.default_rng(height * width).integers(0, 100, (height, width, channels))
    return (np.stack(waves, -1) * 150 + noise).astype(np.uint8)


def tolerance(interpolation: str, resize: str) -> int:
    """Levels of 255. Where the two sides change unequally, Pillow may begin with the other side, and what is
    rounded in between differs where the bicubic filter overshoots."""
    return 8 if resize == "squash" and interpolation == "bicubic" else 1


def as_rows(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels)[None]


def levels_apart(a: torch.Tensor, b: np.ndarray) -> int:
    return int(np.abs(a.permute(1, 2, 0).numpy().astype(int) - b.astype(int)).max())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("interpolation", FILTERS)
def test_squashing_is_pillows_resize(size, interpolation):
    pixels = picture(*size)
    x = ImagePreprocessing((32, 48), "squash", 1.0, interpolation)(as_rows(pixels))
    expected = Image.fromarray(pixels).resize((48, 32), FILTERS[interpolation])
    assert levels_apart(x[0], np.asarray(expected)) <= tolerance(interpolation, "squash")


def test_cropping_is_scaling_the_short_side_and_taking_the_centre():
    pixels = picture(60, 91)
    x = ImagePreprocessing((28, 28), crop_fraction=0.875)(as_rows(pixels))
    wide = Image.fromarray(pixels).resize((48, 32), Image.Resampling.BILINEAR)
    assert levels_apart(x[0], np.asarray(wide)[2:30, 10:38]) <= 1


@pytest.mark.parametrize("picture_size", SIZES)
@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize(
    ("size", "fraction", "mode"),
    [
        ((32, 32), 0.875, "center"),
        ((32, 32), 0.9, "center"),
        ((32, 32), 1.0, "center"),
        ((24, 40), 0.9, "center"),
        ((32, 32), 0.875, "squash"),
        ((24, 40), 1.0, "squash"),
    ],
)
def test_timm_prepares_the_same(picture_size, interpolation, size, fraction, mode):
    timm_data = pytest.importorskip("timm.data", exc_type=ImportError)
    pixels = picture(*picture_size)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    transform = timm_data.create_transform(
        (3, *size), interpolation=interpolation, mean=mean, std=std, crop_pct=fraction, crop_mode=mode
    )
    rule = ImagePreprocessing(
        size, "crop" if mode == "center" else "squash", fraction, interpolation, mean, std
    )
    ours = rule.first_stage()(rule(as_rows(pixels)))[0]
    level = tolerance(interpolation, rule.resize) / 255 / min(std)
    apart = (ours - transform(Image.fromarray(pixels))).abs()
    assert apart.max() <= level + 1e-5
    assert apart.mean() <= 0.3 / 255 / min(std)


def test_files_and_arrays_agree(tmp_path):
    rule = ImagePreprocessing((24, 24))
    paths = []
    for i, size in enumerate(SIZES):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(picture(*size)).save(paths[-1])
    x = rule(image_files(paths))
    assert x.shape == (len(SIZES), 3, 24, 24)
    for row, size in zip(x, SIZES, strict=True):
        assert torch.equal(row, rule(as_rows(picture(*size)))[0])


def test_photos_decoded_smaller_are_nearly_the_same(tmp_path):
    v, u = np.mgrid[:600, :800]
    waves = [127 + 120 * np.sin(u / 40 + c) * np.cos(v / 30) for c in range(3)]
    Image.fromarray(np.stack(waves, -1).astype(np.uint8)).save(tmp_path / "x.jpg", quality=95)
    rule = ImagePreprocessing((112, 112))
    whole = rule(as_rows(np.array(Image.open(tmp_path / "x.jpg"))))
    scaled = rule(image_files([tmp_path / "x.jpg"]))
    assert (whole.int() - scaled.int()).abs().float().mean() < 1.5


@pytest.mark.parametrize("channels", [None, 1, 3, 4])
@pytest.mark.parametrize("colour", ["rgb", "grey"])
def test_every_layout_of_channels(tmp_path, channels, colour):
    each = (0.5,) * (3 if colour == "rgb" else 1)
    rule = ImagePreprocessing((16, 16), mean=each, std=each, colour=colour)
    pixels = picture(20, 20, channels or 1)
    x = torch.from_numpy(pixels if channels else pixels[..., 0])[None].repeat_interleave(2, 0)
    Image.fromarray(pixels.squeeze()).save(tmp_path / "x.png")
    assert torch.equal(rule(x), rule(image_files([tmp_path / "x.png"] * 2)))
    assert rule(x).shape == (2, rule.channels, 16, 16)


def test_transparent_pixels_are_white():
    x = torch.zeros(1, 8, 8, 4, dtype=torch.uint8)
    assert ImagePreprocessing((4, 4))(x).unique().tolist() == [255]


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1), (1, 1), (15, 15)])
@pytest.mark.parametrize("target", [(224, 224), (64, 256)])
def test_odd_sizes(size, target):
    pixels = np.zeros((*size, 3), np.uint8)
    middle = tuple(slice(max(0, s // 2 - 2), s // 2 + 2) for s in size)
    pixels[middle] = 200
    x = ImagePreprocessing(target)(as_rows(pixels))
    assert x.shape == (1, 3, *target)
    assert x[0, 0, target[0] // 2, target[1] // 2] == 200


def test_a_long_picture_shows_its_middle():
    pixels = picture(30, 600)
    rule = ImagePreprocessing((32, 32), crop_fraction=1.0)
    whole = Image.fromarray(pixels).resize((640, 32), Image.Resampling.BILINEAR)
    assert levels_apart(rule(as_rows(pixels))[0], np.asarray(whole)[:, 304:336]) <= 1


def test_nothing_gives_nothing(tmp_path):
    rule = ImagePreprocessing((4, 6))
    assert rule(torch.zeros(0, 8, 8, 3, dtype=torch.uint8)).shape == (0, 3, 4, 6)
    assert rule(image_files([])).shape == (0, 3, 4, 6)


@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(2, 3, 8, 8, dtype=torch.uint8),
        torch.zeros(2, 8, 8, 3),
        torch.zeros(2, 8),
        torch.zeros(2, 0, 8, dtype=torch.uint8),
    ],
)
def test_other_input_is_refused(x):
    with pytest.raises(InputError, match="image files or uint8 images"):
        ImagePreprocessing((4, 4))(x)


def test_a_file_that_breaks_later_is_named(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.new("L", (4, 4)).save(tmp_path / name / "1.png")
    photos = read_images(tmp_path)
    (tmp_path / "b" / "1.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"b/1.png cannot be read \(empty file\)"):
        ImagePreprocessing((4, 4))(photos.x)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"resize": "stretch"}, "resize is 'stretch'"),
        ({"interpolation": "nearest"}, "interpolation is 'nearest'"),
        ({"colour": "bgr"}, "colour is 'bgr'"),
        ({"crop_fraction": 0.0}, "crop_fraction"),
        ({"mean": (0.5,)}, "give 3 each"),
        ({"std": (0.0, 1.0, 1.0)}, "std above 0"),
        ({"size": (0, 4)}, "size"),
    ],
)
def test_settings_that_make_no_sense(settings, reason):
    with pytest.raises(InputError, match=reason):
        ImagePreprocessing(**{"size": (4, 4), **settings})


@pytest.mark.parametrize(
    "rule",
    [
        ImagePreprocessing((20, 30), "squash", 0.9, "bicubic", (0.1,), (0.2,), "grey"),
        ImagePreprocessing((20, 30), colour="grey", standardise=True),
        ImagePreprocessing((20, 30), standardise=True),
    ],
)
def test_round_trip_through_json(rule):
    assert preprocessing_from_json(rule.to_json(), rule.tensors()) == rule
    assert rule.fitted


def test_normalising_is_the_formula_and_saves_nothing():
    x = torch.randint(0, 256, (2, 3, 5, 5), dtype=torch.uint8)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    stage = ImagePreprocessing((5, 5), mean=mean, std=std).first_stage()
    expected = (x.numpy() / 255 - np.array(mean)[:, None, None]) / np.array(std)[:, None, None]
    for form in (x, x.float(), x.to(torch.bfloat16)):
        z = stage(form)
        assert z.dtype == torch.float32
        assert np.allclose(z.numpy(), expected, atol=1e-5)
    assert nn.Sequential(stage).state_dict() == {}


def test_pictures_are_taken_by_their_own_mean_and_spread():
    x = torch.randint(0, 256, (3, 3, 5, 4), dtype=torch.uint8)
    rule = ImagePreprocessing((5, 4), standardise=True)
    y = x.numpy() / 255.0
    mean, spread = (of(y, axis=(1, 2, 3), keepdims=True) for of in (np.mean, np.std))
    expected = (y - mean) / (spread + 0.05)
    for form in (x, x.float(), x.to(torch.bfloat16)):
        z = rule.first_stage()(form)
        assert z.dtype == torch.float32
        assert np.allclose(z.numpy(), expected, atol=1e-5)
    assert rule.first_stage()(torch.full_like(x, 200)).abs().max() < 1e-5


def test_what_is_standardised_is_not_described_by_constants():
    told = ImagePreprocessing((5, 4), standardise=True).to_json()
    assert told["standardise"] is True
    assert not {"mean", "std"} & told.keys()
    assert "standardise" not in ImagePreprocessing((5, 4)).to_json()
