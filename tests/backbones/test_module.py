import json

import pytest
import torch
from torch import nn
from torch.nn.functional import relu

from regraft.backbones.module import VectorEach, module_backbone, rebuild_module
from regraft.errors import InputError
from regraft.preprocessing.images import ImagePreprocessing

ROWS = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """Parts that run in another order than they are named in."""

    def __init__(self):
        super().__init__()
        self.top = nn.Linear(8, 5)
        self.bottom = nn.Linear(3, 8)

    def forward(self, x):
        return self.top(relu(self.bottom(x)))


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.low = nn.Conv2d(3, 4, 3)
        self.high = nn.Conv2d(4, 6, 3)

    def forward(self, x):
        return self.high(relu(self.low(x)))


def test_the_children_of_a_sequential_are_stages():
    net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 5)).eval()
    phi = module_backbone(net)
    assert (phi.names, phi.name, phi.spec) == (["0", "1", "2"], "Sequential", {"loader": "module"})
    assert torch.equal(phi(ROWS), net(ROWS))


def test_other_networks_are_cut_in_the_order_of_execution():
    net = Net()
    phi = module_backbone(net, sample=ROWS, name="mine")
    assert (phi.names, phi.name) == (["bottom", "top"], "mine")
    assert torch.equal(phi(ROWS), net(ROWS))
    assert torch.equal(phi[1:](phi[:1](ROWS)), net(ROWS))


def test_without_a_sample_nothing_is_cut():
    net = Net()
    phi = module_backbone(net)
    assert phi.names == ["whole"]
    assert torch.equal(phi(ROWS), net(ROWS))


@pytest.mark.parametrize("sample", [None, ROWS])
def test_a_network_handed_in_again_has_the_same_stages(sample):
    phi = module_backbone(Net(), sample=sample)
    again = rebuild_module(json.loads(json.dumps(phi.spec)), Net())
    assert again.names == phi.names
    again.load_state_dict(phi.state_dict())
    assert torch.equal(again(ROWS), phi(ROWS))


def test_pictures_are_still_normalised_when_handed_in_again():
    phi = module_backbone(Convolutions(), preprocessing=ImagePreprocessing((12, 12), mean=(0.1, 0.2, 0.3)))
    again = rebuild_module(json.loads(json.dumps(phi.spec)), Convolutions())
    again.load_state_dict(phi.state_dict())
    pixels = torch.randint(0, 256, (2, 3, 12, 12), dtype=torch.uint8)
    assert torch.equal(again(pixels), phi(pixels))


def test_whole_numbers_are_samples_too():
    net = nn.Sequential(nn.Embedding(7, 4), nn.Flatten())
    phi = module_backbone(net, sample=torch.randint(0, 7, (2, 3)))
    assert rebuild_module(phi.spec, net).names == phi.names == ["0", "1"]


def test_weights_are_shared():
    net = Net()
    assert {id(p) for p in module_backbone(net, sample=ROWS).parameters()} == {
        id(p) for p in net.parameters()
    }


def test_pictures_are_normalised_by_the_first_stage():
    rule = ImagePreprocessing((12, 12), mean=(0.5, 0.4, 0.3), std=(0.1, 0.2, 0.3))
    net = Convolutions()
    phi = module_backbone(net, preprocessing=rule)
    assert phi.names == ["low", "high"]
    pixels = torch.randint(0, 256, (2, 20, 20, 3), dtype=torch.uint8)
    expected = net(rule.first_stage()(rule(pixels))).mean((2, 3))
    torch.testing.assert_close(phi.features(pixels), expected)


@pytest.mark.parametrize("shape", [(2, 5), (2, 5, 3, 4), (2, 5, 3, 4, 2)])
def test_features_are_averaged_over_positions(shape):
    z = torch.randn(shape)
    positions = tuple(range(2, len(shape)))
    torch.testing.assert_close(VectorEach()(z), z.mean(positions) if positions else z)


def test_features_of_another_form_are_named():
    with pytest.raises(InputError, match=r"puts out \(2, 5, 3\), and features are n × d"):
        VectorEach()(torch.randn(2, 5, 3))
    with pytest.raises(InputError, match="puts out tuple"):
        VectorEach()((torch.randn(2, 5),))
