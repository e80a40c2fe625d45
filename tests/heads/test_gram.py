"""Products of pairs by way of what is not 0 are those of all numbers."""

import numpy as np
import pytest
import torch

from regraft.heads.gram import about_means, gram, mostly_nothing
from regraft.heads.principal import principal
from regraft.heads.rotation import rotate


@pytest.fixture(scope="module")
def counts():
    """900 rows of 1,200 numbers, about a hundredth of them not 0; a third has words of its own."""
    luck = np.random.default_rng(0)
    x = luck.poisson(0.01, size=(900, 1200)).astype(float)
    x[:300, :30] += luck.poisson(0.3, size=(300, 30))
    return torch.from_numpy(x)


def test_products(counts):
    assert mostly_nothing(counts)
    torch.testing.assert_close(gram(counts), torch.from_numpy(counts.numpy() @ counts.numpy().T))


def test_products_of_several_samples_at_once():
    x = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(gram(x), x.double() @ x.double().mT)


@pytest.mark.parametrize("weighted", [False, True])
def test_products_about_the_means_of_groups(weighted):
    luck = torch.Generator().manual_seed(1)
    x, group = torch.randn(9, 4, generator=luck).double(), torch.tensor([0, 1, 1, 0, 2, 2, 0, 1, 2])
    weight = torch.rand(9, generator=luck).double() if weighted else torch.ones(9).double()
    less = x.clone()
    for g in range(3):
        mine = group == g
        less[mine] -= (weight[mine] @ x[mine]) / weight[mine].sum()
    torch.testing.assert_close(about_means(gram(x), group, weight if weighted else None), less @ less.T)


@pytest.mark.parametrize("weighted", [False, True])
def test_rotated_without_zeros(counts, weighted):
    """The same samples with a number added to all, which leaves no zero, are rotated to the same."""
    weight = torch.rand(len(counts), generator=torch.Generator().manual_seed(2)) if weighted else None
    thin, full = rotate(counts, weight), rotate(counts + 0.5, weight)
    torch.testing.assert_close(thin.eigenvalues, full.eigenvalues, atol=1e-8, rtol=1e-8)
    torch.testing.assert_close(gram(thin.z), gram(full.z), atol=1e-8, rtol=1e-8)
    head = torch.randn(2, thin.z.shape[1], generator=torch.Generator().manual_seed(3)).double()
    weights, bias = thin.back(head, torch.zeros(2).double())
    torch.testing.assert_close(counts @ weights.T + bias, thin.z @ head.T, atol=1e-8, rtol=1e-8)


def test_principal_components_without_zeros(counts):
    thin, full = (principal([some[:500], some[500:]], 12) for some in (counts, counts + 0.5))
    torch.testing.assert_close(thin.weight, full.weight, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(thin(counts), full(counts + 0.5), atol=1e-6, rtol=1e-6)
