"""Density ratios from a classifier of domains."""

import torch

from regraft.methods.both_sides import bounded
from regraft.methods.reweighting.discriminative import ratio


def test_the_ratio_of_two_gaussians():
    luck = torch.Generator().manual_seed(0)
    source = torch.randn(4000, 1, generator=luck)
    target = 0.5 * torch.randn(3000, 1, generator=luck) + 0.7
    found = ratio(source, target, squares=True, seed=0)
    x = source[:, 0].double()
    log_true = -0.5 * ((x - 0.7) / 0.5) ** 2 - torch.log(torch.tensor(0.5)) + 0.5 * x**2
    seen = (x > -0.5) & (x < 1.8)
    assert (found.log() - log_true)[seen].abs().max() < 0.35
    torch.testing.assert_close(found.mean(), torch.tensor(1.0, dtype=torch.float64), atol=0.1, rtol=0)


def test_of_equal_samples_weights_are_equal():
    luck = torch.Generator().manual_seed(1)
    z = torch.randn(400, 3, generator=luck)
    weight = bounded(ratio(z[:200], z[200:], squares=True, seed=0), 20.0)
    assert weight.std() < 0.3
