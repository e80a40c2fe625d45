"""Samples that lie together."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

ROUNDS = 100  # after which centres that still move have little left to gain


def k_means(z: Float[Tensor, "n d"], k: int, seed: int, restarts: int = 5) -> Int[Tensor, " n"]:
    """The nearest of k centres for each row; min over centres of Σᵢ min_c ‖zᵢ − μ_c‖², as far as Lloyd's
    steps find it.

    Each start draws its centres as k-means++ does (Arthur & Vassilvitskii, SODA 2007), a row with a chance
    proportional to its squared distance from those before it; the best of `restarts` is kept. Where there are
    fewer than k different rows there are fewer clusters.

    >>> cluster = k_means(torch.tensor([[0.0], [0.1], [9.0], [9.1]]), 2, seed=0)
    >>> cluster.unique_consecutive(return_counts=True)[1]
    tensor([2, 2])
    """
    z = z.double()
    z = z - z.mean(0)  # distances as differences of squares lose digits far from zero
    luck = torch.Generator().manual_seed(seed)
    found = [_lloyd(z, _spread_centres(z, k, luck)) for _ in range(restarts)]
    return min(found, key=lambda one: one[1])[0]


def centres_of(z: Float[Tensor, "n d"], cluster: Int[Tensor, " n"]) -> Float[Tensor, "c d"]:
    """The mean of every cluster.

    >>> centres_of(torch.tensor([[0.0], [2.0], [9.0]]), torch.tensor([0, 0, 1])).tolist()
    [[1.0], [9.0]]
    """
    counts = torch.bincount(cluster)
    return torch.zeros(len(counts), z.shape[1], dtype=z.dtype).index_add(0, cluster, z) / counts[:, None]


def nearest_centres(
    z: Float[Tensor, "m d"], of: Float[Tensor, "n d"], cluster: Int[Tensor, " n"]
) -> Int[Tensor, " m"]:
    """The cluster of other samples whose mean is nearest to each row.

    >>> others = torch.tensor([[0.0], [2.0], [9.0]])
    >>> nearest_centres(torch.tensor([[3.0], [6.0]]), others, torch.tensor([0, 0, 1])).tolist()
    [0, 1]
    """
    middle = of.mean(0)
    return _squared(z - middle, centres_of(of, cluster) - middle).argmin(1)


def _spread_centres(z: Float[Tensor, "n d"], k: int, luck: torch.Generator) -> Float[Tensor, "c d"]:
    chosen = [int(torch.randint(len(z), (), generator=luck))]
    nearest = (z - z[chosen[0]]).square().sum(1)
    while len(chosen) < k and nearest.max() > 0:
        chosen.append(int(torch.multinomial(nearest / nearest.sum(), 1, generator=luck)))
        nearest = torch.minimum(nearest, (z - z[chosen[-1]]).square().sum(1))
    return z[chosen]


def _lloyd(z: Float[Tensor, "n d"], centres: Float[Tensor, "c d"]) -> tuple[Int[Tensor, " n"], float]:
    """(the cluster of each row, the sum of squared distances)."""
    cluster = torch.full((len(z),), -1)
    for _ in range(ROUNDS):
        least, nearest = _squared(z, centres).min(1)
        if torch.equal(nearest, cluster):
            break
        cluster = nearest
        sums = torch.zeros_like(centres).index_add(0, cluster, z)
        counts = torch.bincount(cluster, minlength=len(centres))[:, None]
        centres = torch.where(counts > 0, sums / counts.clamp_min(1), centres)
    return cluster, float(least.sum())


def _squared(z: Float[Tensor, "n d"], centres: Float[Tensor, "c d"]) -> Float[Tensor, "n c"]:
    squares = z.square().sum(1)[:, None] + centres.square().sum(1)
    return (squares - 2 * z @ centres.T).clamp_min(0)
