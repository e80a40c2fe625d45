"""DAN, and the discrepancy that it minimises."""

import math

import pytest
import torch

from regraft.domain import Domain
from regraft.methods.alignment.dan import DAN
from regraft.problem import Problem
from regraft.terms.discrepancy import WIDTHS, median_gammas, mmd2
from regraft.trained import Network
from regraft.training import Step


def by_loops(s, t, gammas, unbiased):
    """Pair by pair."""

    def k(a, b):
        square = sum((i - j) ** 2 for i, j in zip(a, b, strict=True))
        return sum(math.exp(-g * square) for g in gammas) / len(gammas)

    def within(z):
        pairs = [(i, j) for i in range(len(z)) for j in range(len(z)) if i != j or not unbiased]
        return sum(k(z[i], z[j]) for i, j in pairs) / len(pairs)

    across = sum(k(a, b) for a in s for b in t) / (len(s) * len(t))
    return within(s) + within(t) - 2 * across


@pytest.mark.parametrize("unbiased", [True, False])
def test_both_estimates_pair_by_pair(unbiased):
    torch.manual_seed(0)
    s, t = torch.randn(5, 3, dtype=torch.double), torch.randn(7, 3, dtype=torch.double) + 0.5
    squares = sorted(float((a - b).square().sum()) for i, a in enumerate([*s, *t]) for b in [*s, *t][:i])
    gammas = [width / squares[(len(squares) - 1) // 2] for width in WIDTHS]
    assert median_gammas(s, t) == pytest.approx(gammas)
    expected = by_loops(s.tolist(), t.tolist(), gammas, unbiased)
    assert mmd2(s, t, unbiased=unbiased).item() == pytest.approx(expected)


@pytest.mark.parametrize("unbiased", [True, False])
def test_the_gradient_takes_the_median_as_it_is(unbiased):
    torch.manual_seed(0)
    phi, head = torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)
    source, target = Domain(torch.randn(6, 3), ["a", "b"] * 3), Domain(torch.randn(5, 3))
    recipe, network = DAN(mmd_weight=2.0, unbiased=unbiased), Network(phi, head)
    found = recipe.objective(network, Step(Problem(source=source, target=target), 0.0))["mmd2"]
    z_s, z_t = phi(source.x), phi(target.x)
    fixed = median_gammas(z_s, z_t)
    assert all(isinstance(gamma, float) for gamma in fixed)
    torch.testing.assert_close(
        torch.autograd.grad(found, phi.weight)[0],
        torch.autograd.grad(2 * mmd2(z_s, z_t, fixed, unbiased), phi.weight)[0],
    )
    s, t = z_s.detach().double().requires_grad_(True), z_t.detach().double()
    assert torch.autograd.gradcheck(lambda s: mmd2(s, t, fixed, unbiased), s)


def test_gains_where_a_column_moved(gain):
    recipe = DAN(epochs=1, least_steps=60, batch_size=64, rate=3e-3, stage_rate=3e-3)
    assert gain(recipe, "a column that moved") > 0.1
