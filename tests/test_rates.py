"""The rate finder: rates by hand, a network left as it was, and rates that can be trained with."""

import numpy as np
import pytest
import torch
from torch import nn

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.problem import Problem
from regraft.rates import DIVERGED, RateCurve, find_rate
from regraft.schedule import Mode
from regraft.training import Phase, Training


@pytest.fixture
def lines():
    """A line that is to be fitted to y = 3x + 1, and points on it."""
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, 32)[:, None]
    return nn.Linear(1, 1), Problem(target_labelled=Domain(x, ["a", "b"] * 16))


def phase(part, scale=1.0):
    def objective(step):
        x = step.batch.target_labelled.x
        return {"squares": scale * (part(x) - 3 * x - 1).pow(2).mean()}

    return Phase(objective, [part], lambda p: [Mode(0.1)])


def curve_of(part, problem, **how):
    return find_rate(phase(part), problem, Training(), [Mode(0.1)], batch_size=16, **how)


def test_rates_rise_exponentially_between_the_ends(lines):
    curve = curve_of(*lines, lowest=1e-5, highest=1e-2, steps=13)
    np.testing.assert_allclose(curve.rates, np.geomspace(1e-5, 1e-2, 13), rtol=1e-9)
    assert len(curve.losses) == 13


def test_losses_are_those_of_adamw_by_hand(lines):
    part, problem = lines
    curve = curve_of(part, problem, lowest=1e-3, highest=1.0, steps=6)
    w, b = part.weight.item(), part.bias.item()
    x = torch.linspace(-1, 1, 32).double()
    whole = find_rate(
        phase(part), problem, Training(), [Mode(0.1)], batch_size=32, lowest=1e-3, highest=1.0, steps=2
    )
    first = ((w * x + b - 3 * x - 1) ** 2).mean()
    # the first step of Adam goes by the rate against the sign of the gradient
    w -= 1e-3 * np.sign(float((2 * (w * x + b - 3 * x - 1) * x).mean()))
    b -= 1e-3 * np.sign(float((2 * (part.weight.item() * x + b - 3 * x - 1)).mean()))
    second = ((w * x + b - 3 * x - 1) ** 2).mean()
    np.testing.assert_allclose(whole.losses, [first, second], rtol=1e-4)
    assert len(curve.losses) == 6


def test_the_network_and_randomness_are_left_as_they_were_and_it_is_deterministic(lines):
    part, problem = lines
    before, state = part.weight.detach().clone(), torch.get_rng_state()
    one, other = (curve_of(part, problem) for _ in range(2))
    assert torch.equal(part.weight, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert one == other


def test_it_ends_where_the_loss_leaves(lines):
    curve = curve_of(*lines, lowest=1e-3, highest=1e4, steps=40)
    assert len(curve.losses) == len(curve.rates) < 40
    assert max(curve.smoothed) <= DIVERGED * max(min(curve.smoothed), 1e-3)


def test_a_loss_that_is_no_number_ends_it_too(lines):
    part, problem = lines
    broken = phase(part, scale=float("nan"))
    curve = find_rate(broken, problem, Training(), [Mode(0.1)], batch_size=16)
    assert curve.losses == ()
    with pytest.raises(InputError, match="no rate"):
        _ = curve.suggested


def test_smoothing_is_a_weighted_mean():
    curve = RateCurve((1.0, 2.0, 3.0), (5.0, 1.0, 3.0))
    weights = np.array([0.81, 0.9, 1.0])
    assert curve.smoothed[-1] == pytest.approx((weights * curve.losses).sum() / weights.sum())


def test_the_rate_that_is_suggested_is_where_the_loss_falls_fastest():
    rates = np.geomspace(1e-5, 1.0, 101)
    losses = 1 - 1 / (1 + np.exp(-6 * (np.log10(rates) + 2.5))) + 0.3 * (rates > 0.3)
    curve = RateCurve(tuple(rates), tuple(losses))
    # smoothing comes some steps late: those after which what was seen has a tenth of the weight
    assert 10**-2.5 < curve.suggested < 10**-1.9


def test_the_noise_of_the_first_losses_suggests_nothing():
    rates = np.geomspace(1e-6, 1.0, 60)
    losses = 1 - 0.9 / (1 + np.exp(-4 * (np.log10(rates) + 3)))
    losses[:2] = (1.3, 0.7)
    assert 1e-4 < RateCurve(tuple(rates), tuple(losses)).suggested < 1e-1


def test_where_the_loss_falls_nowhere_the_smallest_rate_is_suggested():
    assert RateCurve((0.1, 0.2, 0.3), (1.0, 2.0, 3.0)).suggested == 0.1


@pytest.mark.parametrize("wrong", [{"lowest": 0.0}, {"lowest": 1.0, "highest": 0.1}, {"steps": 1}])
def test_what_cannot_rise_is_refused(lines, wrong):
    with pytest.raises(InputError, match="the rate is to rise"):
        curve_of(*lines, **wrong)
