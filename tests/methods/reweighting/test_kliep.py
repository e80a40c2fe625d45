"""KLIEP."""

import torch

from regraft.backbones import vectors
from regraft.heads.kernel import squared_distances
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.reweighting.kliep import KLIEP, likeliest
from regraft.problem import Problem
from regraft.training import Training


def two_samples(n=300, m=200):
    luck = torch.Generator().manual_seed(0)
    source = torch.randn(n, 1, generator=luck).double()
    return source, 0.5 * torch.randn(m, 1, generator=luck).double() + 0.7


def test_the_optimum_satisfies_kkt():
    """With ν for mean_s w = 1: ∂/∂α_l of mean_t log w − ν mean_s w is 0 where α_l > 0, and else ≤ 0."""
    source, target = two_samples()
    k_s, k_t = (-squared_distances(x, target[:30]) for x in (source, target))
    alpha = likeliest(k_s, k_t, 1e-8).exp()
    torch.testing.assert_close((k_s.exp() @ alpha).mean(), torch.tensor(1.0).double())
    slope = (k_t.exp() / (k_t.exp() @ alpha)[:, None]).mean(0)
    price = k_s.exp().mean(0)  # ν = 1, as α · slope = 1 = α · price
    assert (slope - price).max() < 1e-6
    held = alpha > 1e-3
    torch.testing.assert_close(slope[held], price[held], atol=1e-5, rtol=0)


def test_the_ratio_of_two_gaussians():
    source, target = two_samples(3000, 2000)
    found = KLIEP().weights(source, target, Training())
    x = source[:, 0]
    true = (-0.5 * ((x - 0.7) / 0.5) ** 2 + 0.5 * x**2).exp() / 0.5
    seen = (x > -0.3) & (x < 1.7)
    assert (found - true)[seen].abs().mean() < 0.15 * true[seen].mean()
    torch.testing.assert_close(found.mean(), torch.tensor(1.0).double())


def test_a_wide_kernel_where_nothing_differs():
    luck = torch.Generator().manual_seed(1)
    z = torch.randn(400, 3, generator=luck).double()
    assert KLIEP().weights(z[:200], z[200:], Training()).std() < 0.3


def test_beats_the_source_where_the_target_is_a_part_of_it(parabola, right):
    source, target = parabola
    problem = Problem(source=source, target=target.unlabelled())
    model, alone = (recipe.fit(problem, vectors()) for recipe in (KLIEP(), SourceOnly()))
    assert right(model, target) > right(alone, target) + 0.2
