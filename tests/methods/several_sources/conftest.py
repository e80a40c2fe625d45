"""Sources in which one column means the opposite of what it means elsewhere."""

import pytest
import torch

from regraft.domain import Domain
from regraft.pooling import pooled


@pytest.fixture
def uneven() -> Domain:
    """A large source in which the first column tells the class, and a small one in which the second does."""
    luck = torch.Generator().manual_seed(0)

    def one(n, column):
        y = torch.arange(n) % 2
        x = torch.randn(n, 2, generator=luck)
        x[:, column] += 3.0 * (2 * y - 1)
        return Domain(x, ["-" if c == 0 else "+" for c in y.tolist()])

    return pooled({"large": one(180, 0), "small": one(20, 1)})
