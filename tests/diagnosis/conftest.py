"""Domains that differ in one known way."""

import pytest
import torch

from regraft.domain import Domain


def crowds(counts, seed, d=4):
    """A crowd of samples for each class, so many of each, in random order."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.cat([torch.full((n,), c) for c, n in enumerate(counts)])
    means = 4 * torch.randn(len(counts), d, generator=torch.Generator().manual_seed(7))
    x = means[y] + torch.randn(len(y), d, generator=luck)
    order = torch.randperm(len(y), generator=luck)
    return Domain(x[order].double(), [f"class {c}" for c in y[order].tolist()])


def moved(domain, kind, seed=5):
    luck = torch.Generator().manual_seed(seed)
    x, y = domain.x, domain.y
    if kind == "mapping":
        return x * torch.tensor([0.5, 2.0, 1.0, 1.5]).double() + torch.tensor([3.0, -2.0, 0.0, 1.0]).double()
    if kind == "proportions":
        return x[(y != 0) | (torch.rand(len(y), generator=luck) < 0.25)]
    if kind == "sampling":
        return x[torch.rand(len(y), generator=luck) < (2 * x[:, 0]).sigmoid()]
    return x


@pytest.fixture
def domains():
    """domains(kind) -> the source, and the target's samples."""

    def made(kind, n=200, seed=1):
        return crowds([n, n, n], seed), moved(crowds([n, n, n], seed + 50), kind)

    return made
