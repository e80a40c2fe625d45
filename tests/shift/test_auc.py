import numpy as np
import torch
from scipy.stats import mannwhitneyu, norm

from regraft.shift.auc import auc, holm, interval_of, p_value, placements


def drawn(n, m, delta, seed):
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.normal(size=n)), torch.from_numpy(random.normal(delta, size=m))


def test_the_area_is_the_share_of_pairs_in_order():
    s, t = torch.tensor([0.0, 1.0, 1.0, 4.0]), torch.tensor([1.0, 2.0, 5.0])
    pairs = [1.0 if b > a else 0.5 if a == b else 0.0 for a in s.tolist() for b in t.tolist()]
    assert auc(s, t).value == sum(pairs) / len(pairs)


def test_the_variance_is_that_of_delong():
    s, t = drawn(40, 60, 0.8, 0)
    v_s, v_t = placements(s, t)
    theta = auc(s, t).value
    below = (s[:, None] < t).double()
    variance = below.mean(1).var() / 40 + below.mean(0).var() / 60
    n = theta * (1 - theta) / float(variance)
    middle, z = (theta + 1.96**2 / (2 * n)) / (1 + 1.96**2 / n), 1.96
    half = z / (1 + z**2 / n) * (theta * (1 - theta) / n + z**2 / (4 * n**2)) ** 0.5
    found = interval_of(v_s, v_t)
    assert abs(found.low - (middle - half)) < 1e-4
    assert abs(found.high - (middle + half)) < 1e-4


def test_ninety_five_percent_of_the_intervals_hold_the_true_area():
    for delta, n in ((0.0, 15), (1.0, 30), (2.5, 30)):
        true = float(norm.cdf(delta / 2**0.5))
        found = [auc(*drawn(n, n, delta, seed)) for seed in range(400)]
        covered = sum(each.low <= true <= each.high for each in found) / len(found)
        assert 0.925 <= covered <= 0.995


def test_where_nothing_overlaps_the_interval_is_not_a_point():
    found = auc(torch.zeros(10), torch.ones(10))
    assert found.value == found.high == 1
    assert 0.75 < found.low < 0.95


def test_groups_widen_it():
    s, t = drawn(40, 40, 0.5, 1)
    s, t = s.sort().values, t.sort().values
    alone, grouped = auc(s, t), auc(s, t, torch.arange(40) // 10, torch.arange(40) // 10)
    assert grouped.low < alone.low
    assert grouped.high > alone.high


def test_the_p_value_is_scipys():
    s, t = drawn(30, 25, 0.6, 2)
    s, t = (s * 2).round(), (t * 2).round()  # ties
    ours = p_value(s, t)
    theirs = mannwhitneyu(s.numpy(), t.numpy(), method="asymptotic", use_continuity=False).pvalue
    assert abs(ours - theirs) < 1e-6


def test_holm_stops_at_the_first_that_stands():
    assert holm([0.01, 0.03, 0.02]) == [True, True, True]
    assert holm([0.01, 0.06, 0.02]) == [True, False, True]
    assert holm([0.02, 0.02, 0.02]) == [False, False, False]
    assert holm([]) == []
