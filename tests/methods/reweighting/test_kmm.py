"""Kernel mean matching."""

import numpy as np
import torch
from scipy.optimize import minimize

from regraft.backbones import vectors
from regraft.heads.kernel import similarity
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.reweighting.kmm import KMM, matching
from regraft.problem import Problem
from regraft.training import Training


def two_samples(n=20, m=15):
    luck = torch.Generator().manual_seed(0)
    source = torch.randn(n, 2, generator=luck).double()
    return source, 0.5 * torch.randn(m, 2, generator=luck).double() + 0.8


def test_solves_the_quadratic_programme():
    source, target = two_samples()
    gamma = torch.tensor(0.5).double()
    kernel = similarity(source, source, gamma)
    kappa = similarity(source, target, gamma).sum(1) * 20 / 15
    found = matching(kernel, kappa, 3.0, 0.05, tolerance=1e-9, steps=100000)
    assert found.min() >= 0
    assert found.max() <= 3
    assert abs(found.mean() - 1) <= 0.05 + 1e-9

    def loss(w):
        return 0.5 * w @ kernel.numpy() @ w - kappa.numpy() @ w

    slab = [
        {"type": "ineq", "fun": lambda w: w.mean() - 0.95},
        {"type": "ineq", "fun": lambda w: 1.05 - w.mean()},
    ]
    start, bounds = np.ones(20), [(0, 3)] * 20
    best = minimize(loss, start, bounds=bounds, constraints=slab, tol=1e-12, options={"maxiter": 1000})
    assert abs(loss(found.numpy()) - best.fun) < 1e-5


def test_brings_the_means_in_the_kernels_space_together():
    source, target = two_samples(300, 200)
    weight = KMM().weights(source, target, Training())
    gamma = torch.tensor(0.5).double()

    def distance(w):
        a, b = w / w.sum(), torch.full((200,), 1 / 200).double()
        ss, st, tt = (similarity(*p, gamma) for p in ((source, source), (source, target), (target, target)))
        return float(a @ ss @ a - 2 * a @ st @ b + b @ tt @ b)

    assert distance(weight) < 0.05 * distance(torch.ones(300).double())


def test_blocks_are_nearly_as_good_as_all_at_once():
    source, target = two_samples(600, 300)
    whole, blocks = (KMM(block=size).weights(source, target, Training()) for size in (2000, 200))
    assert torch.corrcoef(torch.stack([whole, blocks]))[0, 1] > 0.6


def test_beats_the_source_where_the_target_is_a_part_of_it(parabola, right):
    source, target = parabola
    problem = Problem(source=source, target=target.unlabelled())
    model, alone = (recipe.fit(problem, vectors()) for recipe in (KMM(), SourceOnly()))
    assert right(model, target) > right(alone, target) + 0.2
