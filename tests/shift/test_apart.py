import math

import pytest
import torch

from regraft.domain import Domain
from regraft.shift.apart import mmd_test, told_apart, told_apart_by_pairs


def normal(n, d, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def best_threshold(s, t):
    """max over half-lines of the difference of their shares, by trying all."""
    cuts = torch.cat([s, t]).sort().values
    return float(((s[:, None] > cuts).double().mean(0) - (t[:, None] > cuts).double().mean(0)).abs().max())


def test_in_one_dimension_it_is_the_best_threshold():
    s, t = normal(600, 1, 0), normal(600, 1, 1) + 1.2
    found = told_apart(Domain(s), Domain(t), seed=0).discrepancy
    assert abs(found.value - best_threshold(s[:, 0], t[:, 0])) < 0.05
    assert found.low < 2 * torch.distributions.Normal(0, 1).cdf(torch.tensor(0.6)) - 1 < found.high


def test_in_two_dimensions_it_is_the_best_direction_and_threshold():
    s, t = normal(500, 2, 2), normal(500, 2, 3) @ torch.tensor([[1.0, 0.3], [0.0, 1.0]]).double() + 0.9
    angles = torch.arange(0, math.pi, 0.02, dtype=torch.float64)
    directions = torch.stack([angles.cos(), angles.sin()])
    brute = max(best_threshold(s @ w, t @ w) for w in directions.T)
    found = told_apart(Domain(s), Domain(t), seed=0).discrepancy
    assert brute - 0.07 < found.value <= brute + 0.01  # a maximum over the samples themselves is rather large


def test_pairs_of_thresholds_are_found_where_one_tells_nothing():
    s, t = 0.4 * normal(300, 1, 4), 2.0 * normal(300, 1, 5)
    apart = told_apart(Domain(s), Domain(t), seed=0)
    cuts = torch.linspace(-3, 3, 61)
    between = [
        float(((s > a) & (s < b)).double().mean() - ((t > a) & (t < b)).double().mean())
        for a in cuts
        for b in cuts
    ]
    assert apart.discrepancy.value < 0.15
    assert abs(told_apart_by_pairs(Domain(s), Domain(t), apart, seed=0).value - max(between)) < 0.08


def test_one_distribution_is_not_apart():
    found = told_apart(Domain(normal(80, 4, 6)), Domain(normal(80, 4, 7)), seed=0)
    assert found.auc.low < 0.5 < found.auc.high
    assert found.discrepancy.low == 0
    assert mmd_test(Domain(normal(80, 4, 6)), Domain(normal(80, 4, 7)), seed=0)[1] > 0.05


def test_sides_of_very_different_sizes_weigh_the_same():
    s, t = normal(400, 1, 8), normal(40, 1, 9) + 2
    found = told_apart(Domain(s), Domain(t), seed=0).discrepancy
    assert abs(found.value - best_threshold(s[:, 0], t[:, 0])) < 0.12


def test_a_group_that_is_a_copy_is_held_out_with_its_original():
    x = normal(40, 3, 10)
    unit = torch.arange(40)
    found = told_apart(Domain(x, group=unit), Domain(x.clone(), group=unit), seed=0)
    assert found.auc.value == pytest.approx(0.5, abs=1e-9)


def test_the_permutation_test_keeps_its_level():
    p = [mmd_test(Domain(normal(20, 2, i)), Domain(normal(15, 2, 1000 + i)), seed=i)[1] for i in range(40)]
    assert sum(v <= 0.05 for v in p) <= 6
    assert min(p) >= 0.001


@pytest.mark.slow
def test_intervals_hold_what_the_classifier_does_on_fresh_samples():
    held = 0
    for seed in range(100):
        x = normal(120, 5, seed)
        x[60:, 0] += 1
        found = told_apart(Domain(x[:60]), Domain(x[60:]), seed=seed)
        fresh = normal(4000, 5, 10_000 + seed)
        fresh[2000:, 0] += 1
        scores = fresh @ found.probe.whole.weight.T + found.probe.whole.bias
        second = (scores[:, 1] > scores[:, 0]).double()
        held += (
            found.discrepancy.low
            <= float(second[2000:].mean() - second[:2000].mean())
            <= (found.discrepancy.high)
        )
    assert held >= 90
