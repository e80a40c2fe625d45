import pytest
import torch
from torch import nn

from regraft.errors import InputError
from regraft.surgery import deepened, widened


def normed(kind, width):
    norm = kind(width).eval()
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    nn.init.normal_(norm.weight)
    return norm


@pytest.mark.parametrize("width", [4, 5, 13])
def test_wider_linear_layers_compute_the_same(width):
    first, norm, second = nn.Linear(3, 4), normed(nn.BatchNorm1d, 4), nn.Linear(4, 2)
    x = torch.randn(6, 3)
    wide, after, between = widened(first, second, width, norm)
    assert wide.weight.shape == (width, 3)
    difference = after(between(wide(x)).relu()) - second(norm(first(x)).relu())
    assert difference.abs().max().item() < 1e-5


@pytest.mark.parametrize("strided", [{}, {"stride": 2, "padding": 1}, {"bias": False}])
def test_wider_convolutions_compute_the_same(strided):
    first, norm, second = nn.Conv2d(3, 4, 3, **strided), normed(nn.BatchNorm2d, 4), nn.Conv2d(4, 5, 3)
    x = torch.randn(2, 3, 16, 16)
    wide, after, between = widened(first, second, 9, norm)
    assert (after(between(wide(x)).relu()) - second(norm(first(x)).relu())).abs().max().item() < 1e-5


def test_a_linear_layer_behind_flattened_pictures():
    first, second = nn.Conv2d(3, 4, 3), nn.Linear(4 * 36, 2)
    x = torch.randn(2, 3, 8, 8)
    wide, after, _ = widened(first, second, 7)
    expected = second(first(x).relu().flatten(1))
    assert (after(wide(x).relu().flatten(1)) - expected).abs().max().item() < 1e-5


@pytest.mark.parametrize("layer", [nn.Linear(3, 6), nn.Conv2d(3, 6, 3), nn.Conv2d(3, 6, (1, 5))])
def test_deeper_computes_the_same(layer):
    x = torch.randn(4, 3) if isinstance(layer, nn.Linear) else torch.randn(2, 3, 9, 9)
    before = layer(x).relu()
    assert (deepened(layer)(before).relu() - before).abs().max().item() < 1e-5


def test_what_cannot_grow():
    with pytest.raises(InputError, match="fewer than the 4"):
        widened(nn.Linear(3, 4), nn.Linear(4, 2), 3)
    with pytest.raises(InputError, match="takes 5 inputs, not those of 4 units"):
        widened(nn.Linear(3, 4), nn.Linear(5, 2), 6)
    with pytest.raises(InputError, match="in groups"):
        widened(nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 2, 3), 6)
    with pytest.raises(InputError, match="has no middle"):
        deepened(nn.Conv2d(3, 4, 2))
