import numpy as np
import pytest
import torch
from torch import nn

from regraft.surgery.conversion import colours, converted, kernel, positions


@pytest.mark.parametrize("channels", [1, 4, 5, 6])
def test_a_picture_without_colours_looks_the_same(channels):
    """Grey in every channel: the first convolution gives what it gave."""
    weight, grey = torch.randn(8, 3, 3, 3), torch.randn(2, 1, 9, 9)
    before = nn.functional.conv2d(grey.expand(-1, 3, -1, -1), weight)
    new = colours(weight, channels)
    assert new.shape == (8, channels, 3, 3)
    if channels in (1, 6):
        after = nn.functional.conv2d(grey.expand(-1, channels, -1, -1), new)
        torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def test_equal_filters_of_every_colour_keep_the_answer_for_any_number():
    weight, grey = torch.randn(8, 1, 3, 3).expand(8, 3, 3, 3), torch.randn(2, 1, 9, 9)
    before = nn.functional.conv2d(grey.expand(-1, 3, -1, -1), weight)
    after = nn.functional.conv2d(grey.expand(-1, 5, -1, -1), colours(weight, 5))
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [(5, 5), (7, 7), (1, 1)])
def test_kernels_see_as_much_of_a_flat_picture(size):
    flat = torch.full((1, 2, 9, 9), 0.7)
    weight = torch.rand(4, 2, 3, 3)
    ones = torch.ones(4, 2, 3, 3)
    assert nn.functional.conv2d(flat, kernel(ones, size))[0, 0, 0, 0].item() == pytest.approx(
        0.7 * 18, rel=1e-5
    )
    assert kernel(weight, (3, 3)).equal(weight)


def test_positions_of_a_ramp_stay_a_ramp():
    """Embeddings that grow along the rows still do on a finer grid, and the token in front is untouched."""
    grid = torch.arange(8.0)[:, None].expand(8, 8).reshape(1, 64, 1).repeat(1, 1, 3)
    value = torch.cat([torch.full((1, 1, 3), 99.0), grid], 1)
    new, told = positions(value, (1, 1 + 16 * 16, 3))
    assert told == "positions interpolated"
    assert torch.equal(new[:, 0], value[:, 0])
    rows = new[0, 1:, 0].reshape(16, 16)
    assert rows.std(1).max().item() < 1e-4
    inside = rows[4:-4, 0].numpy()
    np.testing.assert_allclose(np.diff(inside[::2]), 1.0, atol=0.05)
    assert positions(value, (1, 60, 3)) is None


def test_nothing_grows_by_itself():
    assert converted("x", torch.zeros(4, 3), (5, 3), first=False) is None
    assert converted("x", torch.zeros(4, 3), (4, 3, 1), first=False) is None
    assert converted("x", torch.zeros(4, 3), (4, 3), first=False)[1] == ""
