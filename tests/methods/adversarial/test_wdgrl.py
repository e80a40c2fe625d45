"""WDGRL."""

import pytest
import torch
from torch import nn

from regraft.domain import Domain
from regraft.methods.across import critic_of
from regraft.methods.adversarial.wdgrl import WDGRL, steepness
from regraft.problem import Problem
from regraft.trained import Network
from regraft.training import Step


def test_steepness_is_that_of_small_steps():
    torch.manual_seed(0)
    critic, z, h = critic_of(3, 8).double(), torch.randn(6, 3, dtype=torch.double), 1e-6
    axes = torch.eye(3, dtype=torch.double)
    slopes = [torch.cat([(critic(x + h * e) - critic(x - h * e)) / (2 * h) for e in axes]) for x in z]
    expected = sum((slope.norm().item() - 1) ** 2 for slope in slopes) / 6
    assert steepness(critic, z).item() == pytest.approx(expected, rel=1e-5)


def test_the_two_turns():
    torch.manual_seed(0)
    critic, phi = critic_of(4, 5), nn.Linear(3, 4)
    network = Network(phi, nn.Linear(4, 2), beside={"critic": critic})
    source, target = Domain(torch.randn(6, 3), ["a", "b"] * 3), Domain(torch.randn(5, 3))
    step, recipe = Step(Problem(source=source, target=target), 0.0), WDGRL(distance_weight=0.5, slope=3.0)
    z_s, z_t = phi(source.x), phi(target.x)
    distance = critic(z_s).mean() - critic(z_t).mean()
    torch.testing.assert_close(recipe.objective(network, step)["distance"], 0.5 * distance)

    torch.manual_seed(1)
    estimate = recipe.estimate(network, step)
    torch.manual_seed(1)
    share = torch.rand(5, 1)
    points = torch.cat([z_s, z_t, share * z_s[:5] + (1 - share) * z_t])
    torch.testing.assert_close(estimate["estimate"], -distance)
    torch.testing.assert_close(estimate["slope"], 3 * steepness(critic, points))


def test_the_estimate_of_a_shift_is_its_length():
    """Between a sample and itself moved by v the Wasserstein distance is ‖v‖, and a critic finds it."""
    torch.manual_seed(0)
    x = torch.randn(64, 2)
    network = Network(nn.Flatten(), nn.Linear(2, 2), beside={"critic": critic_of(2, 32)})
    moved = Domain(x + torch.tensor([0.0, 2.0]))
    step = Step(Problem(source=Domain(x, ["a", "b"] * 32), target=moved), 0.0)
    optimiser = torch.optim.Adam(network.beside["critic"].parameters(), 1e-2)
    for _ in range(200):
        terms = WDGRL().estimate(network, step)
        optimiser.zero_grad()
        sum(terms.values()).backward()
        optimiser.step()
    assert -terms["estimate"].item() == pytest.approx(2, rel=0.1)


def test_gains_where_a_column_moved(gain):
    recipe = WDGRL(epochs=1, least_steps=60, batch_size=64, rate=3e-3, stage_rate=3e-3, critic_steps=3)
    assert gain(recipe, "a column that moved") > 0.1
