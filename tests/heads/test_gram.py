"""Products of pairs by way of what is not 0 are those of all numbers."""

import numpy as np
import pytest
import torch

from regraft.heads.gram import about_means, gram, gram_about_means, mostly_nothing
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


@pytest.mark.parametrize("columns", [1200, 400])
def test_principal_components_without_zeros(counts, columns):
    counts = counts[:, :columns]
    thin, full = (principal([some[:500], some[500:]], 12) for some in (counts, counts + 0.5))
    torch.testing.assert_close(thin.weight, full.weight, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(thin(counts), full(counts + 0.5), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("large", [1e3, 1e6, 1e9])
def test_a_large_column_that_does_not_vary_changes_nothing(counts, large):
    """Squares of it would leave no digit of the rest."""
    column = torch.full((len(counts), 1), large).double()
    with_it = torch.cat([counts, column], 1)
    assert mostly_nothing(with_it)
    z, expected = rotate(with_it).z, rotate(counts).z
    torch.testing.assert_close(gram(z), gram(expected), atol=1e-8, rtol=1e-8)
    axes, plain = (principal([x], 12).weight for x in (with_it, counts))
    torch.testing.assert_close(axes[:, :-1], plain, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_products_of_samples_far_from_zero(offset):
    luck = torch.Generator().manual_seed(4)
    x, group = torch.randn(20, 50, generator=luck).double() + offset, torch.arange(20) % 2
    centred = x - torch.stack([x[group == g].mean(0) for g in (0, 1)])[group]
    torch.testing.assert_close(gram_about_means(x, centred, group), centred @ centred.T)


@pytest.mark.parametrize("shape", [(60, 50), (900, 1200)])
def test_no_or_few_directions_have_their_components(shape):
    alike = torch.full(shape, 0.1).double()
    space = principal([alike], 3)
    assert space.weight.shape == (1, shape[1])
    assert not space.weight.any()
    one = torch.zeros(shape).double()
    one[:10, 0] = 1.0
    found = principal([one], 3)
    assert found.weight.shape == (1, shape[1])
    torch.testing.assert_close(found(one)[:, 0].square().mean().item(), 1.0)
    for _ in range(3):
        assert torch.equal(found.weight, principal([one], 3).weight)
