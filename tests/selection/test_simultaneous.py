"""Bounds that hold for several gains at once."""

import pytest
import torch
from scipy.stats import norm

from regraft.domain import Domain
from regraft.intervals import Z_BOUND, paired_gain
from regraft.selection import scores_of
from regraft.selection.simultaneous import gains_over, z_for_all


def test_of_gains_that_have_nothing_in_common_it_is_sidaks():
    differences = torch.randn(6, 5000, generator=torch.Generator().manual_seed(1))
    expected = norm.ppf(norm.cdf(Z_BOUND) ** (1 / 6))
    assert z_for_all(differences, torch.zeros(5000, dtype=torch.long)) == pytest.approx(expected, abs=0.03)


def test_two_gains_by_an_integral_over_their_correlation():
    luck = torch.Generator().manual_seed(2)
    shared, own = torch.randn(1, 20_000, generator=luck), torch.randn(2, 20_000, generator=luck)
    z = z_for_all(0.8**0.5 * shared + 0.2**0.5 * own, torch.zeros(20_000, dtype=torch.long))
    # P(both < z) = ∫ φ(u) Φ((z − √ρ u)/√(1 − ρ))² du, ρ = 0.8
    u = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    inside = torch.special.ndtr((z - 0.8**0.5 * u) / 0.2**0.5).square() * torch.exp(-(u**2) / 2)
    chance = float(torch.trapezoid(inside, u)) / (2 * torch.pi) ** 0.5
    assert chance == pytest.approx(norm.cdf(Z_BOUND), abs=4e-3)


def test_samples_of_a_group_are_one():
    luck = torch.Generator().manual_seed(3)
    group = torch.arange(200) % 4
    noise = torch.randn(2, 200, generator=luck)
    same = torch.tensor([3.0, -3.0, 3.0, -3.0])[group]
    zeros = torch.zeros(200, dtype=torch.long)
    assert z_for_all(noise + same, zeros, group) < z_for_all(noise, zeros)


def test_gains_are_those_of_pairs_at_that_z():
    luck = torch.Generator().manual_seed(4)
    birds = Domain(torch.zeros(60, 1), ["owl", "crow", "crow"] * 20)
    said = [scores_of(torch.rand(r, 60, 2, generator=luck), birds) for r in (1, 3, 1)]
    for metric in ("accuracy", "balanced_accuracy"):
        stratum = said[0].stratum(metric)
        z = z_for_all(torch.stack([s.correct - said[0].correct for s in said[1:]]), stratum)
        assert z > Z_BOUND
        assert gains_over(said[0], said[1:], metric)[0] == paired_gain(
            said[1].correct, said[0].correct, stratum, None, z
        )
        assert gains_over(said[0], said[1:2], metric)[0].low == pytest.approx(
            paired_gain(said[1].correct, said[0].correct, stratum).low
        )
