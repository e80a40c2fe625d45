"""k-means."""

import pytest
import torch
from sklearn.cluster import KMeans

from regraft.terms.clusters import k_means


def inertia(z, cluster):
    return sum(
        float((z[cluster == c] - z[cluster == c].mean(0)).square().sum()) for c in cluster.unique().tolist()
    )


@pytest.mark.parametrize("seed", range(3))
def test_it_is_as_good_as_scikit_learns(seed):
    luck = torch.Generator().manual_seed(seed)
    z = torch.randn(120, 6, generator=luck) + 3 * torch.eye(6)[torch.arange(120) % 5] + 1000
    theirs = KMeans(5, n_init=10, random_state=seed).fit(z.double().numpy()).inertia_
    assert inertia(z.double(), k_means(z, 5, seed=seed)) == pytest.approx(theirs, rel=0.02)


def test_everybody_is_with_the_nearest_mean():
    z = torch.randn(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cluster = k_means(z, 4, seed=0)
    means = torch.stack([z[cluster == c].mean(0) for c in range(4)])
    assert torch.equal(torch.cdist(z, means).argmin(1), cluster)


def test_the_seed_decides():
    z = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(k_means(z, 4, seed=1), k_means(z, 4, seed=1))


def test_of_fewer_different_rows_there_are_fewer_clusters():
    cluster = k_means(torch.tensor([[0.0], [0.0], [1.0]]), 5, seed=0)
    assert cluster[0] == cluster[1] != cluster[2]
