"""Optimal transport."""

import sys

import numpy as np
import pytest
import torch

from regraft.backbones import vectors
from regraft.errors import InputError
from regraft.heads.principal import principal
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.both_sides import Seen
from regraft.methods.transport.entropic_transport import EntropicTransport
from regraft.problem import Problem
from regraft.training import Training


def normed(source, target):
    """M in units of its mean, by numpy."""
    cost = np.square(source.x.numpy()[:, None] - target.numpy()).sum(2)
    return cost / cost.mean()


def test_the_plan_has_the_margins_and_is_that_of_sinkhorn(heaps):
    pytest.importorskip("ot")
    source, target = heaps(30, 0), heaps(20, 1).x + 1
    gamma = EntropicTransport(class_weight=0.0, entropy=0.2).plan(source, target)
    torch.testing.assert_close(gamma.sum(1), torch.full((30,), 1 / 30).double(), atol=1e-7, rtol=0)
    torch.testing.assert_close(gamma.sum(0), torch.full((20,), 1 / 20).double(), atol=1e-7, rtol=0)
    kernel, u = np.exp(-normed(source, target) / 0.2), np.ones(30)
    for _ in range(5000):
        v = 1 / 20 / (kernel.T @ u)
        u = 1 / 30 / (kernel @ v)
    np.testing.assert_allclose(gamma, u[:, None] * kernel * v, atol=1e-6)


def test_the_term_of_classes_is_that_of_pot(heaps):
    ot = pytest.importorskip("ot")
    source, target = heaps(30, 0), heaps(20, 1).x + 1
    gamma = EntropicTransport(class_weight=0.05, entropy=0.2).plan(source, target)
    margins = np.full(30, 1 / 30), source.y.numpy(), np.full(20, 1 / 20)
    theirs = ot.da.sinkhorn_lpl1_mm(*margins, normed(source, target), 0.2, 0.05, numInnerItermax=2000)
    np.testing.assert_allclose(gamma, theirs, atol=2e-5)


def test_with_it_few_classes_send_to_one_sample(heaps):
    pytest.importorskip("ot")
    source, target = heaps(60, 0), heaps(40, 1).x

    def roots(weight):
        gamma = EntropicTransport(class_weight=weight, entropy=0.2).plan(source, target)
        return sum(gamma[source.y == c].sum(0).sqrt().sum() for c in (0, 1))

    assert roots(1.0) < 0.95 * roots(0.0)


def test_what_is_far_off_is_transported_as_well(heaps):
    pytest.importorskip("ot")
    source, target = heaps(30, 0), heaps(20, 1).x
    source.x[0] += 1e4
    assert EntropicTransport(entropy=0.02).plan(source, target).isfinite().all()


def test_new_samples_of_the_source_move_as_the_nearest_does(heaps):
    pytest.importorskip("ot")
    source, target = heaps(40, 0), heaps(30, 1).x + 2
    recipe = EntropicTransport(components=0)
    sides = recipe.sides(Seen(source, target), Training())
    space = principal([source.x, target], 0)
    gamma = recipe.plan(source.with_(x=space(source.x)), space(target))
    arrived = 40 * gamma @ space(target)  # the barycentric map
    back = torch.linalg.lstsq(space.weight, (arrived - space.bias).T).solution.T
    torch.testing.assert_close(sides.source(source.x), sides.target(back), atol=1e-4, rtol=1e-4)
    near = source.x + 1e-3
    torch.testing.assert_close(sides.source(near), sides.target(back + 1e-3), atol=1e-4, rtol=1e-4)


def test_beats_the_source_where_the_target_is_bent(heaps, right):
    pytest.importorskip("ot")
    source, target = heaps(150, 0), heaps(150, 1)
    x = target.x.clone()
    x[:, 0] = 4 * x[:, 0].clamp(-9, 2) + x[:, 0] + 6
    target = target.with_(x=x)
    problem = Problem(source=source, target=target.unlabelled())
    model, alone = (recipe.fit(problem, vectors()) for recipe in (EntropicTransport(), SourceOnly()))
    assert right(model, target) > max(0.88, right(alone, target) + 0.2)


def test_says_how_to_get_pot(heaps, monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    problem = Problem(source=heaps(20, 0), target=heaps(20, 1).unlabelled())
    with pytest.raises(InputError, match=r"pip install 'regraft\[transport\]'"):
        EntropicTransport().fit(problem, vectors())
