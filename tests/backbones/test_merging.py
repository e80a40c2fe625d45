import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import merged, small_mlp
from regraft.backbones.adapted import Adapted, adapted
from regraft.backbones.low_rank import factored


@pytest.fixture
def phi():
    """A convolution, a block that ends in a sum, and a linear layer behind a mean."""
    return Backbone(
        [
            ("conv", nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 1))),
            ("act", nn.ReLU()),
            ("flat", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())),
            ("top", nn.Linear(5, 6)),
        ],
        name="toy",
    )


def with_adapters(phi, places, activation):
    changed = adapted(phi.copied(), places, 3, activation)
    for module in changed.modules():
        if isinstance(module, Adapted):
            for p in module.adapter.parameters():
                nn.init.normal_(p)
    return changed


def test_adapters_without_activation_go_into_the_layer_before(phi):
    x = torch.randn(2, 3, 8, 8)
    changed = with_adapters(phi, {"0": (1, 5), "3": (1, 6)}, "none")
    plain = merged(changed)
    assert plain.spec == phi.spec
    assert not any(isinstance(m, Adapted) for m in plain.modules())
    torch.testing.assert_close(plain(x), changed(x), atol=1e-5, rtol=1e-5)
    assert any(isinstance(m, Adapted) for m in changed.modules())  # what was handed in is as it was


def test_what_no_single_weight_makes_stays(phi):
    x = torch.randn(2, 3, 8, 8)
    changed = with_adapters(phi, {"0": (1, 5), "1": (1, 5), "2": (1, 5)}, "none")
    plain = merged(changed)
    assert plain.spec["places"] == {"1": [1, 5], "2": [1, 5]}
    torch.testing.assert_close(plain(x), changed(x), atol=1e-5, rtol=1e-5)
    curved = with_adapters(phi, {"0": (1, 5)}, "relu")
    assert merged(curved).spec == curved.spec


def test_a_layer_without_bias_cannot_take_the_shift():
    phi = Backbone([("top", nn.Linear(3, 4, bias=False))], name="toy")
    changed = with_adapters(phi, {"0": (1, 4)}, "none")
    assert merged(changed).spec == changed.spec


def test_what_was_not_added_to_is_only_copied():
    phi = small_mlp(3, widths=(4, 4))
    assert merged(phi).fingerprint() == phi.fingerprint()
    twice = [{"0.linear": (torch.randn(1, 3), torch.randn(4, 1))} for _ in range(2)]
    changed = factored(
        factored(phi.copied(), twice[0], 1.0), {"1.linear": (torch.ones(1, 4), torch.ones(4, 1))}, 1.0
    )
    x = torch.randn(5, 3)
    torch.testing.assert_close(merged(merged(changed))(x), changed(x))
    assert merged(merged(changed)).spec == phi.spec
