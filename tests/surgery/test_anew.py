import pytest
import torch
from torch import nn

from regraft.errors import InputError
from regraft.surgery import draw_anew


def test_weights_and_statistics_start_over_as_the_generator_says():
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    network(torch.randn(8, 3))
    old = network[0].weight.clone()
    torch.manual_seed(5)
    draw_anew(network)
    torch.manual_seed(5)
    expected = nn.Linear(3, 4)
    assert torch.equal(network[0].weight, expected.weight)
    assert not torch.equal(network[0].weight, old)
    assert torch.equal(network[1].running_mean, torch.zeros(4))


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.scale = nn.Parameter(torch.ones(2))


def test_what_cannot_be_drawn_is_named_and_nothing_is_changed():
    network = Scaled()
    before = network.layer.weight.clone()
    with pytest.raises(InputError, match="scale cannot be drawn anew"):
        draw_anew(network)
    assert torch.equal(network.layer.weight, before)
