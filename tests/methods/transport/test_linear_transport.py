"""Linear transport."""

import numpy as np
import pytest
import torch

from regraft.backbones import vectors
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.transport.linear_transport import LinearTransport
from regraft.problem import Problem
from regraft.terms.discrepancy import covariance
from regraft.training import Training


def test_the_only_positive_map_that_matches_both_moments(heaps):
    source, target = heaps(100, 0), heaps(90, 1).x @ torch.randn(5, 5).double() + 3
    maps = LinearTransport(ridge=1e-9).maps(source, target, Training())
    weight, moved = maps.source.weight, maps.source(source.x)
    torch.testing.assert_close(weight, weight.T, atol=1e-6, rtol=1e-6)
    assert torch.linalg.eigvalsh(weight).min() > 0
    torch.testing.assert_close(covariance(moved), torch.cov(target.T), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(moved.mean(0), target.mean(0))
    torch.testing.assert_close(maps.target(target), target)


def test_is_the_map_of_pot(heaps):
    ot = pytest.importorskip("ot")
    source, target = heaps(100, 0), heaps(90, 1).x @ torch.randn(5, 5).double() + 3
    found = LinearTransport(ridge=0.1).maps(source, target, Training()).source
    means, own = (x.mean(0).numpy() for x in (source.x, target)), 0.1 * np.eye(5)
    shapes = (np.cov(x.numpy().T) + own for x in (source.x, target))
    weight, bias = ot.gaussian.bures_wasserstein_mapping(*means, *shapes)
    np.testing.assert_allclose(found.weight, weight, atol=1e-8)
    np.testing.assert_allclose(found.bias, bias.ravel(), atol=1e-8)


def test_beats_the_source_where_the_target_is_stretched(heaps, right):
    source, target = heaps(300, 0), heaps(300, 1)
    target = target.with_(x=target.x * torch.tensor([3.0, 0.5, 1, 1, 1]) + 6)
    problem = Problem(source=source, target=target.unlabelled())
    model, alone = (recipe.fit(problem, vectors()) for recipe in (LinearTransport(), SourceOnly()))
    assert right(model, target) > max(0.9, right(alone, target) + 0.2)
