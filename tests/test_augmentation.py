"""Augmentation: what it draws by hand, and what it keeps."""

import numpy as np
import pytest
import torch

from regraft.augmentation import LONGER, MOVES, NUMBERS, Augmentation, pixels_in
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


def more(n=4, seed=1, moves=None, signs=None):
    """All numbers of n changes, of which turns and inversions may be given."""
    u = torch.rand(n, Augmentation(affine=1.0).numbers, generator=torch.Generator().manual_seed(seed))
    if moves is not None:
        u[:, NUMBERS : NUMBERS + MOVES] = torch.tensor(moves)
    if signs is not None:
        u[:, NUMBERS + MOVES :] = torch.tensor(signs)
    return u


@pytest.mark.parametrize("other", [{}, {"flip": True}, {"crop": 0.4}])
def test_turns_by_hand(other):
    """Every pixel where the map of the docstring takes it from, of a picture that is wider than high."""
    x, u = pictures(n=1), more(n=1)
    found = Augmentation(affine=0.5, **other)(x, u)[0, 2].numpy()
    turn, scale, shear, stretch, right, down = (0.5 * (2 * u[0, NUMBERS : NUMBERS + MOVES] - 1)).tolist()
    angle, shear = np.radians(30) * turn, 0.3 * shear
    linear = np.exp(0.3 * scale) * np.diag([np.exp(0.15 * stretch), np.exp(-0.15 * stretch)])
    linear @= np.array([[np.cos(angle), shear - np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    h, w = found.shape
    area, shape, left, top, side = u[0, :5].double().tolist()
    wide = high = 1.0
    if "crop" in other:
        kept, longer = 0.4 + 0.6 * area, LONGER ** (2 * shape - 1)
        wide, high = min(1, (kept * longer) ** 0.5), min(1, (kept / longer) ** 0.5)
    for i in range(h):
        for j in range(w):
            across, along = linear @ np.array([j + 0.5 - w / 2, i + 0.5 - h / 2])
            across, along = across + w / 7 * right, along + h / 7 * down
            if "flip" in other and side < 0.5:
                across = -across
            there = (
                across * wide + w / 2 + (2 * left - 1) * (1 - wide) * w / 2 - 0.5,
                along * high + h / 2 + (2 * top - 1) * (1 - high) * h / 2 - 0.5,
            )
            assert abs(found[i, j] - bilinear(x[0, 2].double().numpy(), *there)) <= 0.51


def test_a_quarter_of_the_way_is_a_turn_of_the_degrees_that_are_said():
    """A point to the right of the middle is taken from below it: pictures turn against the clock."""
    x = torch.zeros(1, 1, 41, 41, dtype=torch.uint8)
    x[0, 0, 30, 20 + 17] = 255  # 10 below and 17 to the right: 30 degrees
    out = Augmentation(affine=1.0)(x, more(n=1, moves=[1.0, 0.5, 0.5, 0.5, 0.5, 0.5]))
    row, column = divmod(int(out[0, 0].argmax()), 41)
    assert (row, column) == (20, 40)


@pytest.mark.parametrize("c", [1, 3])
def test_signs_by_hand(c):
    x, u = pictures(n=1, c=c), more(n=1)
    gain, offset = np.split(2 * u[0, NUMBERS + MOVES + 1 :].double().numpy()[: 2 * c] - 1, 2)
    white = x[0].double().numpy() / 255
    expected = 0.5 + 1.2 * gain[:, None, None] * (white - 0.5) + 0.3 * offset[:, None, None]
    found = Augmentation(invert=1.0)(x, u)[0].double().numpy()
    assert np.abs(found - (255 * expected).clip(0, 255)).max() <= 0.501


def test_so_many_pictures_are_inverted_and_the_others_are_as_they_were():
    x = pictures(n=300)
    changed = (Augmentation(invert=0.3)(x, more(n=300)) != x).flatten(1).any(1)
    assert 60 < changed.sum() < 120


def test_the_middle_of_turns_changes_nothing():
    x = pictures()
    assert torch.equal(Augmentation(affine=1.0)(x, more(moves=[0.5] * 6)), x)


def test_new_switches_leave_the_old_ones_what_they_draw():
    assert Augmentation(0.3, True, 0.4).numbers == NUMBERS == 8
    x, u = pictures(), more()
    old = Augmentation(0.3, True, 0.4)
    assert torch.equal(old(x, u), old(x, u[:, :8]))


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
    change = Augmentation(0.4, True, 0.4, 0.5, 0.5)
    x, u = pictures(c=channels), more()
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
    assert Augmentation(affine=0.1)
    assert Augmentation(invert=0.1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"crop": 0.0},
        {"crop": 1.5},
        {"colour": 1.0},
        {"colour": -0.1},
        {"affine": 1.1},
        {"affine": -0.1},
        {"invert": 2.0},
        {"invert": -1.0},
    ],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(InputError):
        Augmentation(**wrong)


def test_activations_are_not_pixels():
    assert pixels_in(pictures())
    assert not pixels_in(pictures().float())
    assert not pixels_in(torch.zeros(3, 5, dtype=torch.uint8))
