"""Proportions of a mixture."""

import torch

from regraft.terms.mixture import mixture_proportions


def parts(k=6, m=80):
    luck = torch.Generator().manual_seed(0)
    x, centres = torch.randn(m, 2, generator=luck), torch.randn(k, 2, generator=luck)
    return -(x[:, None] - centres).square().sum(2).double()


def test_is_where_em_goes_to():
    log_density, added = parts(), torch.tensor([0.5, 0, 0, 2, 0, 0.5]).double()
    density = log_density.exp()
    for extra in (torch.zeros(6).double(), added):
        pi = torch.full((6,), 1 / 6).double()
        for _ in range(20000):
            member = density * pi / (density @ pi)[:, None]
            pi = (member.sum(0) + extra) / (80 + extra.sum())
        found = mixture_proportions(log_density, extra, tolerance=1e-9)
        torch.testing.assert_close(found, pi, atol=1e-5, rtol=0)


def test_no_part_could_grow_and_those_that_are_there_would_not_shrink():
    log_density = parts(40)
    pi = mixture_proportions(log_density)
    density = log_density.exp()
    growth = (density / (density @ pi)[:, None]).mean(0)
    assert growth.max() < 1 + 1e-5
    torch.testing.assert_close(growth[pi > 1e-6], torch.ones_like(growth[pi > 1e-6]), atol=1e-4, rtol=0)


def test_parts_that_are_alike_share():
    found = mixture_proportions(parts(2).repeat(1, 2))
    torch.testing.assert_close(found[:2] + found[2:], mixture_proportions(parts(2)), atol=1e-5, rtol=0)


def test_densities_beyond_all_exponents():
    found = mixture_proportions(parts(3) - 1e6)
    torch.testing.assert_close(found, mixture_proportions(parts(3)), atol=1e-6, rtol=0)
