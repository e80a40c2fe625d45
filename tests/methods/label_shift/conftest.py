"""Classes of other shares."""

import pytest
import torch

from regraft.domain import Domain


@pytest.fixture
def heaps():
    """heaps(n, share, seed): two overlapping classes in five columns, `share` of them "b"."""

    def made(n, share, seed):
        luck = torch.Generator().manual_seed(seed)
        y = (torch.rand(n, generator=luck) < share).long()
        x = torch.randn(n, 5, generator=luck)
        x[:, 0] += 2 * y
        return Domain(x, ["b" if c else "a" for c in y.tolist()])

    return made
