import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import rebuild, small_mlp
from regraft.backbones.adapted import MOST_ADDED
from regraft.backbones.low_rank import LowRank, factored, rebuild_factored
from regraft.errors import InputError


def test_the_formula_on_a_matrix_and_on_kernels():
    A, B, x = torch.randn(2, 3 * 9), torch.randn(4, 2), torch.randn(2, 3, 7, 6)
    inner = nn.Conv2d(3, 4, 3, stride=2, padding=1)
    W = inner.weight + 1.5 * torch.einsum("or,rckl->ockl", B, A.view(2, 3, 3, 3))
    expected = nn.functional.conv2d(x, W, inner.bias, stride=2, padding=1)
    torch.testing.assert_close(LowRank(inner, A, B, 1.5)(x), expected)
    dense, A, B = nn.Linear(5, 4), torch.randn(2, 5), torch.randn(4, 2)
    z = torch.randn(3, 7, 5)
    torch.testing.assert_close(LowRank(dense, A, B, 0.5)(z), dense(z) + 0.5 * z @ A.T @ B.T)


def test_it_is_rebuilt_from_its_spec():
    phi, x = small_mlp(3, widths=(4, 5)), torch.randn(6, 3)
    changed = factored(phi.copied(), {"1.linear": (torch.randn(2, 4), torch.randn(5, 2))}, 0.5)
    again = rebuild(changed.spec)
    again.load_state_dict(changed.state_dict())
    assert again.fingerprint() == changed.fingerprint()
    assert torch.equal(again(x), changed(x))
    assert not torch.equal(phi(x), changed(x))


@pytest.mark.parametrize(
    ("ranks", "scale", "told"),
    [
        ({"0.linear": 0}, 1.0, "whole numbers above 0"),
        ({"0.linear": 1.5}, 1.0, "whole numbers above 0"),
        ({"0.linear": True}, 1.0, "whole numbers above 0"),
        ({"0.linear": 1}, float("nan"), "scales are finite"),
        ({"0.linear": 1}, 10**400, "scales are finite"),
        ({"0.linear": MOST_ADDED}, 1.0, "more than"),
        ({"1": 1}, 1.0, "cannot be changed by factors"),
        ({"0.norm": 1}, 1.0, "cannot be changed by factors"),
        ({"0.nothing": 1}, 1.0, "has no part"),
    ],
)
def test_what_changes_no_weights_is_said(ranks, scale, told):
    stage = nn.ModuleDict({"linear": nn.Linear(3, 4), "norm": nn.BatchNorm1d(4)})
    phi = Backbone([("stage", stage), ("act", nn.ReLU())], name="toy")
    with pytest.raises(InputError, match=told):
        rebuild_factored({"ranks": ranks, "scale": scale}, phi)


def test_factors_of_another_size_are_said():
    with pytest.raises(InputError, match=r"not of the size of its weight, \(4, 3\)"):
        factored(small_mlp(3, widths=(4,)), {"0.linear": (torch.ones(1, 4), torch.ones(3, 1))}, 1.0)
    table = Backbone([("words", nn.Embedding(4, 3))], name="toy")
    with pytest.raises(InputError, match="is Embedding, whose weight cannot be changed"):
        factored(table, {"0": (torch.ones(1, 3), torch.ones(4, 1))}, 1.0)
