"""Hotelling's T² and its law."""

import torch
from scipy.stats import chi2

from regraft.terms.hotelling import hotelling, permuted


def drawn(n, d, seed, shift=0.0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed)).double() + shift


def test_is_the_classical_statistic_up_to_the_ridge():
    s, t = drawn(300, 3, 0), drawn(200, 3, 1, 0.2)
    apart = s.mean(0) - t.mean(0)
    of_means = torch.cov(s.T, correction=0) / 300 + torch.cov(t.T, correction=0) / 200
    classical = float(apart @ torch.linalg.solve(of_means, apart))
    found = hotelling(s, t)
    assert abs(found.statistic / classical - 1) < 5e-3
    assert abs(chi2.sf(classical, 3) - 0.5 * torch.erfc(torch.tensor(found.z / 2**0.5)).item()) < 0.02


def test_weights_count_samples_as_often():
    s, t = drawn(40, 2, 0), drawn(50, 2, 1)
    twice = torch.cat([s, s[:20]])
    weight = torch.cat([torch.full((20,), 2.0), torch.ones(20)]).double()
    ours, theirs = hotelling(s, t, weight), hotelling(twice, t)
    # as often as that, but known no better
    assert abs(ours.statistic / theirs.statistic - 1) < 0.5
    torch.testing.assert_close(weight @ s / weight.sum(), twice.mean(0))


def test_the_law_holds_under_equal_means():
    zs = [permuted(drawn(40, 20, 2 * i), drawn(60, 20, 2 * i + 1), seed=i).z for i in range(60)]
    assert sum(z > 3 for z in zs) <= 2
    assert abs(sum(zs) / len(zs)) < 0.5
