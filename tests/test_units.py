import pytest
import torch

from regraft.domain import Domain
from regraft.heads import MLP, Linear
from regraft.output import Real
from regraft.units import Units


def homes():
    return Domain(
        [[0.0], [1.0], [2.0]], [[100.0, 5.0], [300.0, None], [500.0, 7.0]], Real(("price", "rooms"))
    )


def test_what_is_known_gets_mean_0_and_variance_1():
    d = Units.of(homes()).standard(homes())
    assert d.y[:, 0].tolist() == pytest.approx([-1.224745, 0.0, 1.224745])
    assert d.y[:, 1].tolist() == [-1.0, 0.0, 1.0]
    assert d.observed.tolist() == homes().observed.tolist()


@pytest.mark.parametrize("head", [Linear(3, 2, "float32"), MLP(3, 4, 2)])
def test_a_head_puts_out_what_it_learned_in_its_own_units(head):
    torch.nn.init.normal_(next(iter(head.parameters())))
    units, z = Units.of(homes()), torch.randn(5, 3)
    standard = head(z).detach()
    units.restore(head)
    torch.testing.assert_close(head(z).double(), standard * units.scale + units.centre, rtol=1e-5, atol=1e-3)


def test_names_have_no_units():
    birds = Domain([[0.0], [1.0]], ["owl", "crow"])
    assert Units.of(birds).standard(birds) is birds
