"""Logistic regression on similarities."""

import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.methods.features.kernel_probe import KernelProbe
from regraft.methods.features.linear_probe import LinearProbe
from regraft.problem import Problem


def a_ring(n=160):
    luck = torch.Generator().manual_seed(3)
    x = torch.randn(n, 2, generator=luck)
    return Domain(x, ["in" if r < 1.2 else "out" for r in x.norm(dim=1).tolist()])


def test_bends_the_border_that_a_plane_cannot():
    data = a_ring()
    given, fresh = Problem(target_labelled=data[:100]), data[100:]
    right = {
        recipe: (recipe.fit(given, vectors()).logits(fresh).argmax(1) == fresh.y).float().mean()
        for recipe in (KernelProbe(), LinearProbe())
    }
    kernel, plane = right.values()
    assert kernel > 0.9 > plane + 0.1


def test_scores_are_those_of_the_kernel_expansion():
    data = a_ring(40)
    head = KernelProbe(points=20).fit(Problem(target_labelled=data), vectors()).head
    z = torch.randn(5, 2, dtype=torch.float64)
    bumps = torch.stack([torch.exp(-head.gamma * (z - p).square().sum(1)) for p in head.points])
    torch.testing.assert_close(head(z), bumps.T @ head.weight.T + head.bias)


def test_all_points_of_all_samples_or_some():
    data = a_ring(40)
    heads = [KernelProbe(points=p).fit(Problem(target_labelled=data), vectors()).head for p in (300, 10)]
    assert [len(h.points) for h in heads] == [40, 10]


def test_near_copies_do_not_make_the_kernel_narrow():
    luck = torch.Generator().manual_seed(0)
    middle = torch.randn(24, 4, generator=luck)
    y = (middle[:, :2].sum(1) + 0.8 * torch.randn(24, generator=luck) > 0).long()
    group = torch.arange(24).repeat_interleave(8)
    x = middle[group] + 0.05 * torch.randn(192, 4, generator=luck)
    fresh = torch.randn(1000, 4, generator=luck)
    expected = fresh[:, :2].sum(1) > 0
    grouped, split = (
        (KernelProbe().fit(Problem(target_labelled=domain), vectors()).logits(fresh).argmax(1) == expected)
        .double()
        .mean()
        for domain in (Domain(x, y[group].tolist(), group=group), Domain(x, y[group].tolist()))
    )
    assert grouped > split + 0.05
