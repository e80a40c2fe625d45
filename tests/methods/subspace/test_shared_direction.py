"""One direction that the domains share."""

import numpy as np
import torch

from regraft.backbones import vectors
from regraft.diagnosis.direction import _Contrast
from regraft.domain import Domain
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.subspace.shared_direction import SharedDirection
from regraft.problem import Problem


def turned_over(n=240, seed=0):
    """Classes at the corners of a square: along one axis alike in both domains, along the other swapped."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = 0.4 * torch.randn(n, 2, generator=luck)
    source = x + torch.stack([2 * y - 1, 2.0 * (2 * y - 1)], 1)
    target = x[torch.randperm(n, generator=luck)] + torch.stack([2 * y - 1, -2.0 * (2 * y - 1) + 1], 1)
    return Domain(source, y.tolist()), Domain(target), y


def test_repairs_what_misleads_the_source():
    source, target, y = turned_over()
    right = []
    for recipe in (SourceOnly(learner="kernel"), SharedDirection()):
        scores = recipe.fit(Problem(source=source, target=target), vectors()).logits(target)
        right.append((scores.argmax(1) == y).float().mean())
    alone, adapted = right
    assert alone < 0.7
    assert adapted > 0.97


def test_the_contrast_is_that_of_random_fourier_features():
    luck = torch.Generator().manual_seed(0)
    s, t = torch.randn(30, 3, generator=luck).double(), torch.randn(20, 3, generator=luck).double()
    y = torch.arange(30) % 3
    contrast = _Contrast(s, t, y, luck)
    u = torch.tensor([[0.6, 0.8, 0.0]], dtype=torch.float64)
    w = contrast.frequencies.numpy()

    def mean_wave(z):
        return np.exp(1j * np.outer(z.numpy() @ u[0].numpy(), w)).mean(0)

    domains = np.abs(mean_wave(s) - mean_wave(t)) ** 2
    each = [(y == c, np.abs(mean_wave(s[y == c]) - mean_wave(s)) ** 2) for c in range(3)]
    classes = sum(mine.double().mean().item() * squared.mean() for mine, squared in each)
    chance, chance_of_classes = contrast.by_chance
    by_hand = np.log(classes + chance_of_classes) - np.log(domains.mean() + chance)
    np.testing.assert_allclose(contrast.value(u).item(), by_hand, rtol=1e-4)
