import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import rebuild, small_convnet
from regraft.backbones.adapted import MOST_ADDED, Bottleneck, adapted, places_of
from regraft.errors import InputError


def moved(adapter):
    """An adapter that is no longer the identity."""
    for p in adapter.parameters():
        nn.init.normal_(p)
    return adapter


@pytest.mark.parametrize("shape", [(3, 5), (3, 7, 5), (3, 6, 7, 5)])
def test_the_formula_along_the_last_axis(shape):
    z, adapter = torch.randn(shape), moved(Bottleneck(-1, 5, 2))
    D, c, U, b = adapter.down.weight, adapter.down.bias, adapter.up.weight, adapter.up.bias
    expected = z + (z @ D.T + c).clamp(min=0) @ U.T + b
    torch.testing.assert_close(adapter(z), expected)


def test_on_maps_it_is_a_pair_of_1x1_convolutions():
    z, adapter = torch.randn(2, 5, 4, 3), moved(Bottleneck(1, 5, 2, "none"))
    kernels = [layer.weight[:, :, None, None] for layer in (adapter.down, adapter.up)]
    inside = nn.functional.conv2d(z, kernels[0], adapter.down.bias)
    torch.testing.assert_close(adapter(z), z + nn.functional.conv2d(inside, kernels[1], adapter.up.bias))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(6, 6)

    def forward(self, z):
        return z + self.mix(z)


def test_every_block_of_a_list_gets_one_and_other_stages_one_as_a_whole():
    blocks = nn.Sequential(*(Block() for _ in range(11)))
    phi = Backbone([("in", nn.Linear(4, 6)), ("blocks", blocks), ("act", nn.ReLU())], name="tokens")
    assert places_of(phi, torch.randn(2, 5, 4)) == {"0": (-1, 6)} | {f"1.{i}": (-1, 6) for i in range(11)}
    assert list(places_of(phi, torch.randn(2, 5, 4)))[-1] == "1.10"  # in the order in which they run


def test_maps_with_channels_last_are_told_by_their_shape():
    class ToLast(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, x):
            return self.scale * x.movedim(1, -1)

    phi = Backbone([("maps", nn.Conv2d(3, 5, 1)), ("last", ToLast())], name="toy")
    assert places_of(phi, torch.randn(2, 3, 8, 8)) == {"0": (1, 5), "1": (-1, 5)}


def test_looking_for_places_changes_nothing():
    phi = small_convnet((16, 16), "grey", width=4)
    before = phi.fingerprint()
    places_of(phi.train(), torch.zeros(2, 1, 16, 16))
    assert phi.fingerprint() == before


def test_it_is_rebuilt_from_its_spec():
    phi = small_convnet((16, 16), "grey", width=4)
    x = torch.rand(2, 1, 16, 16)
    changed = adapted(phi.copied(), places_of(phi, x), 3, "gelu")
    again = rebuild(changed.spec)
    again.load_state_dict(changed.state_dict())
    assert again.fingerprint() == changed.fingerprint()
    assert torch.equal(again.eval()(x), changed.eval()(x))
    part = changed[1:3]
    assert [name for name, _ in rebuild(part.spec).named_parameters()] == [
        name for name, _ in part.named_parameters()
    ]


@pytest.mark.parametrize(
    ("places", "width", "activation", "told"),
    [
        ({"9": (1, 4)}, 2, "relu", "has no part '9'"),
        ({"": (1, 4)}, 2, "relu", "has no part ''"),
        ({"0": (1, 4)}, 0, "relu", "give a whole number above 0"),
        ({"0": (1, 0)}, 2, "relu", "give a whole number above 0"),
        ({"0": (1, 4)}, MOST_ADDED, "relu", "are the most"),
        ({"0": (1, 4)}, 2, "os.system", "use relu, gelu, none"),
    ],
)
def test_what_is_no_adapter_is_said(places, width, activation, told):
    with pytest.raises(InputError, match=told):
        adapted(small_convnet((16, 16), "grey", width=4), places, width, activation)
