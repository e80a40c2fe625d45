"""How many clusters another half of the samples finds again."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .clusters import k_means, nearest_centres

HALVES = 5  # splits that are averaged


def prediction_strength(z: Float[Tensor, "n d"], k: int, seed: int, splits: int = HALVES) -> float:
    """ps(k) = mean over splits of  min over clusters C of B  of  #{i ≠ j ∈ C: A's centres have them together}
    / (|C| (|C| − 1))

    A and B are halves of the samples, each with k clusters of its own (k-means). Near 1 where the clusters of
    one half are those of the other, and low where k cuts through what belongs together, because two halves
    cut in two ways. Nobody finds a cluster of a single sample again: its share is 0, and so is that of a half
    which has fewer than k different clusters.

    Tibshirani & Walther, Cluster validation by prediction strength, JCGS 2005, eq. 2.1.

    >>> z = torch.cat([torch.zeros(20, 1), torch.ones(20, 1)]) + 0.01 * torch.arange(40.0)[:, None] % 0.1
    >>> prediction_strength(z, 2, seed=0), prediction_strength(z, 3, seed=0) < 1
    (1.0, True)
    """
    luck = torch.Generator().manual_seed(seed)
    found = []
    for split in range(splits):
        order = torch.randperm(len(z), generator=luck)
        halves = z[order[: len(z) // 2]], z[order[len(z) // 2 :]]
        own = [k_means(half, k, seed + split) for half in halves]
        for (a, told), (b, mine) in zip(
            zip(halves, own, strict=True), zip(halves[::-1], own[::-1], strict=True), strict=True
        ):
            there = len(mine.unique()) == k
            found.append(weakest(mine, nearest_centres(b, a, told)) if there else 0.0)
    return sum(found) / len(found)


def weakest(own: Int[Tensor, " n"], theirs: Int[Tensor, " n"]) -> float:
    """The least share, over own clusters, of the pairs that the others have together.

    >>> weakest(torch.tensor([0, 0, 0, 1, 1]), torch.tensor([0, 0, 1, 2, 2]))
    0.3333333333333333
    >>> weakest(torch.tensor([0, 0, 0, 1]), torch.tensor([0, 0, 0, 1]))
    0.0
    """
    shares = []
    for cluster in own.unique():
        counts = torch.bincount(theirs[own == cluster]).double()
        size = counts.sum()
        shares.append(float((counts * (counts - 1)).sum() / (size * (size - 1)).clamp_min(1)))
    return min(shares)
