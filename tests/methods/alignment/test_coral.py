"""CORAL."""

import torch

from regraft.domain import Domain
from regraft.methods.alignment.coral import CORAL
from regraft.terms.discrepancy import covariance
from regraft.training import Training


def two_samples(n=200, d=4):
    luck = torch.Generator().manual_seed(0)
    mixing = torch.randn(d, d, generator=luck, dtype=torch.float64)
    source = torch.randn(n, d, generator=luck, dtype=torch.float64)
    target = torch.randn(n + 7, d, generator=luck, dtype=torch.float64) @ mixing + 3
    return Domain(source, ["a", "b"] * (n // 2)), target


def test_the_source_takes_on_mean_and_covariance():
    source, target = two_samples()
    maps = CORAL(ridge=1e-9).maps(source, target, Training())
    moved = maps.source(source.x)
    torch.testing.assert_close(moved.mean(0), target.mean(0))
    torch.testing.assert_close(covariance(moved), torch.cov(target.T), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(maps.target(target), target)


def test_covariances_alone_as_published():
    source, target = two_samples()
    moved = CORAL(ridge=1e-9, means=False).maps(source, target, Training()).source(source.x)
    torch.testing.assert_close(moved.mean(0), source.x.mean(0))
    torch.testing.assert_close(torch.cov(moved.T), torch.cov(target.T), rtol=1e-6, atol=1e-6)


def test_with_much_ridge_the_source_keeps_its_shape():
    source, target = two_samples()
    moved = CORAL(ridge=1e6).maps(source, target, Training()).source(source.x)
    torch.testing.assert_close(covariance(moved), covariance(source.x), rtol=1e-3, atol=1e-3)
