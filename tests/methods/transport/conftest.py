"""Two classes, and the same ones seen otherwise."""

import pytest
import torch

from regraft.domain import Domain


@pytest.fixture
def heaps():
    """heaps(n, seed): two classes in five columns, four apart along the first."""

    def made(n, seed):
        luck = torch.Generator().manual_seed(seed)
        y = (torch.rand(n, generator=luck) < 0.5).long()
        x = torch.randn(n, 5, generator=luck).double()
        x[:, 0] += 4 * y
        return Domain(x, ["b" if c else "a" for c in y.tolist()])

    return made


@pytest.fixture
def right():
    """right(model, domain): the share of its labels that the model says."""

    def share(model, domain):
        told = zip(model.predict(domain), domain.output.decode(domain.y), strict=True)
        return sum(a == b for a, b in told) / len(domain)

    return share
