"""Augmentation: what it draws by hand, and what it keeps."""

import numpy as np
import pytest
import torch

from regraft.augmentation import LONGER, NUMBERS, Augmentation, pixels_in
from regraft.errors import InputError


def pictures(n=4, c=3, h=12, w=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, c, h, w), dtype=torch.uint8, generator=generator)


def drawn(n=4, seed=1, **fixed):
    """The numbers of n changes: area, shape, left, top, side, brightness, contrast, saturation."""
    u = torch.rand(n, NUMBERS, generator=torch.Generator().manual_seed(seed))
    names = ("area", "shape", "left", "top", "side", "brightness", "contrast", "saturation")
    for name, value in fixed.items():
        u[:, names.index(name)] = value
    return u


def bilinear(channel, x, y):
    """The value between pixels whose centres are at whole numbers, the border continued."""
    h, w = channel.shape
    x, y = min(max(x, 0), w - 1), min(max(y, 0), h - 1)
    left, top = int(np.floor(x)), int(np.floor(y))
    right, below = min(left + 1, w - 1), min(top + 1, h - 1)
    a, b = x - left, y - top
    upper = (1 - a) * channel[top, left] + a * channel[top, right]
    lower = (1 - a) * channel[below, left] + a * channel[below, right]
    return (1 - b) * upper + b * lower


@pytest.mark.parametrize("side", [0.2, 0.8])
def test_a_crop_is_a_box_scaled_to_the_picture(side):
    x, u = pictures(n=1), drawn(n=1, side=side)
    found = Augmentation(crop=0.3, flip=True)(x, u)[0, 1].numpy()
    area, shape, left, top = u[0, :4].double().tolist()
    kept, longer = 0.3 + 0.7 * area, LONGER ** (2 * shape - 1)
    wide, high = min(1, (kept * longer) ** 0.5), min(1, (kept / longer) ** 0.5)
    h, w = found.shape
    x0, y0 = left * (1 - wide) * w, top * (1 - high) * h  # the corner of the box in pixels
    for i in range(h):
        for j in range(w):
            across = (w - 1 - j if side < 0.5 else j) + 0.5
            there = bilinear(x[0, 1].double().numpy(), x0 + across * wide - 0.5, y0 + (i + 0.5) * high - 0.5)
            assert abs(found[i, j] - there) <= 0.51


def test_colours_by_hand():
    x, u = pictures(n=1), drawn(n=1, brightness=0.9, contrast=0.2, saturation=0.7)
    b, k, s = 1 + 0.3 * 0.8, 1 - 0.3 * 0.6, 1 + 0.3 * 0.4
    bright = b * x[0].double().numpy()
    contrasted = bright.mean() + k * (bright - bright.mean())
    grey = contrasted.mean(0, keepdims=True)
    expected = (grey + s * (contrasted - grey)).clip(0, 255)
    found = Augmentation(colour=0.3)(x, u)[0].double().numpy()
    assert np.abs(found - expected).max() <= 0.501


def test_the_middle_of_all_numbers_changes_nothing():
    x = pictures()
    u = drawn(area=1.0, shape=0.5, side=0.9, brightness=0.5, contrast=0.5, saturation=0.5)
    for change in (Augmentation(flip=True), Augmentation(crop=0.3), Augmentation(colour=0.4)):
        assert torch.equal(change(x, u), x)


def test_half_are_mirrored_and_the_others_are_as_they_were():
    x = pictures(n=200)
    out = Augmentation(flip=True)(x, drawn(n=200))
    mirrored = torch.tensor([torch.equal(a, b.flip(2)) for a, b in zip(out, x, strict=True)])
    same = torch.tensor([torch.equal(a, b) for a, b in zip(out, x, strict=True)])
    assert (mirrored ^ same).all()
    assert 70 < mirrored.sum() < 130


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_shape_and_range_are_kept_and_a_picture_is_changed_by_its_own_numbers(channels, layout):
    change = Augmentation(0.4, True, 0.4)
    x, u = pictures(c=channels), drawn()
    out = change(x.contiguous(memory_format=layout), u)
    assert out.shape == x.shape
    assert out.dtype == torch.uint8
    for i in range(len(x)):
        assert torch.equal(change(x[i : i + 1], u[i : i + 1])[0], out[i])


def test_nothing_is_nothing():
    assert not Augmentation()
    assert Augmentation(flip=True)
    assert Augmentation(crop=0.9)
    assert Augmentation(colour=0.1)


@pytest.mark.parametrize("wrong", [{"crop": 0.0}, {"crop": 1.5}, {"colour": 1.0}, {"colour": -0.1}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(InputError):
        Augmentation(**wrong)


def test_activations_are_not_pixels():
    assert pixels_in(pictures())
    assert not pixels_in(pictures().float())
    assert not pixels_in(torch.zeros(3, 5, dtype=torch.uint8))
