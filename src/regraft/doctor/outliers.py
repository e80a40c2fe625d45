"""Samples that are far from all others."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..domain import Domain
from ..samples import sample_names
from ..text import counted
from .findings import Finding, Sample

NEIGHBOUR = 5  # whose distance counts, so that a few of a kind are not each other's alibi
FAR = 4.0  # robust standard deviations
ENOUGH = 20  # samples below which nobody can say what is usual
COMPARED = 10_000  # samples that stand for all where there are more: all with all is quadratic
AT_ONCE = 1 << 21  # distances in memory: 8 MiB, and what is kept of freed memory is a small multiple


def outliers(name: str, domain: Domain, features: Float[Tensor, "n d"]) -> Iterator[Finding]:
    """Samples whose fifth nearest neighbour, in these features, is much farther than is usual."""
    far = far_off(features).nonzero().squeeze(1).tolist()
    if far:
        names = sample_names(domain.x)
        yield Finding(
            "outliers",
            "note",
            f"{name}: {counted(len(far), 'sample')} far from all others: look whether they belong here",
            tuple((Sample(name, row, names[row]),) for row in far),
        )


def far_off(features: Float[Tensor, "n d"]) -> Bool[Tensor, " n"]:
    """log dᵢ > median + 4 · 1.4826 · median |log d − median|, where dᵢ is the distance to the fifth neighbour
    between rows of features; rows of a network's are scaled to length 1 before.

    The logarithm, because distances are skewed; medians, because what is looked for must not set the measure.
    Of more than 10,000 rows, the neighbours are looked for among as many that are drawn.

    >>> x = torch.cat([torch.randn(40, 6) * 0.1 + 1, -torch.ones(1, 6)])
    >>> far_off(x).nonzero().flatten().tolist()
    [40]
    """
    n = len(features)
    if n < ENOUGH:
        return torch.zeros(n, dtype=torch.bool)
    z = features.float()
    drawn = torch.randperm(n, generator=torch.Generator().manual_seed(0))[:COMPARED].sort().values
    others, distances = z[drawn], []
    for rows in torch.arange(n).split(max(1, AT_ONCE // len(drawn))):
        distance = torch.cdist(z[rows], others)
        distance[rows[:, None] == drawn] = torch.inf  # nobody is a neighbour of himself
        distances.append(distance.topk(NEIGHBOUR, dim=1, largest=False).values[:, -1])
    log = torch.cat(distances).clamp_min(1e-6).log()
    spread = 1.4826 * (log - log.median()).abs().median()
    return log > log.median() + FAR * spread.clamp_min(1e-3)
