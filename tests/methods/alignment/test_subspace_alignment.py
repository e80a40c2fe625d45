"""Subspace alignment."""

import numpy as np
import torch
from sklearn.decomposition import PCA

from regraft.backbones import vectors
from regraft.methods.alignment.subspace_alignment import SubspaceAlignment
from regraft.methods.baselines.source_only import SourceOnly
from regraft.problem import Problem
from regraft.training import Training


def test_is_the_published_formula(heaps):
    source, target = heaps(100, 0), heaps(120, 1).x @ torch.randn(5, 5).double() + 1
    maps = SubspaceAlignment(dimension=3).maps(source, target, Training())
    of_source, of_target = (PCA(3).fit(x.numpy()) for x in (source.x, target))
    x_s, x_t = of_source.components_.T, of_target.components_.T
    aligned = (source.x.numpy() - of_source.mean_) @ x_s @ (x_s.T @ x_t)
    own = (target.numpy() - of_target.mean_) @ x_t
    sign = np.sign((own * maps.target(target).numpy()).sum(0))  # an axis has no sign of its own
    np.testing.assert_allclose(maps.target(target).numpy() * sign, own, atol=1e-8)
    np.testing.assert_allclose(maps.source(source.x).numpy() * sign, aligned, atol=1e-8)


def test_with_all_axes_it_only_centres_both_sides(heaps):
    source, target = heaps(100, 0), heaps(120, 1).x
    maps = SubspaceAlignment(dimension=5).maps(source, target, Training())
    turned = maps.target.weight
    torch.testing.assert_close(turned @ turned.T, torch.eye(5).double())
    torch.testing.assert_close(maps.source.weight, turned)


def test_beats_the_source_where_the_target_is_elsewhere(heaps, right):
    source, target = heaps(300, 0), heaps(300, 1)
    target = target.with_(x=target.x + torch.tensor([7.0, 0, 3, 0, 0]))
    problem = Problem(source=source, target=target.unlabelled())
    model, alone = (recipe.fit(problem, vectors()) for recipe in (SubspaceAlignment(), SourceOnly()))
    assert right(model, target) > max(0.9, right(alone, target) + 0.2)
