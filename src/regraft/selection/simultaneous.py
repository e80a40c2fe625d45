"""Paired gains of several candidates over one, between bounds that hold for all of them at once."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..intervals import ONE_END, Z_BOUND, Interval, paired_gain
from .scores import ClassScores

DRAWS = 100_000


def gains_over(base: ClassScores, rivals: Sequence[ClassScores], metric: str) -> list[Interval]:
    """The gain of each rival over the base on the same samples; 93 % of the time all lower bounds hold.

    Each is the interval of `paired_gain` with z the quantile of the largest of as many normal numbers as
    there are rivals, correlated as their differences to the base are (Hothorn, Bretz & Westfall, Biometrical
    Journal 2008). Rivals that are right and wrong together cost little, those that are not as much as by
    Bonferroni. Repeats of folds are averaged first.
    """
    stratum = base.stratum(metric)
    differences = torch.stack([rival.correct - base.correct for rival in rivals])
    z = z_for_all(differences, stratum, base.group)
    return [paired_gain(rival.correct, base.correct, stratum, base.group, z) for rival in rivals]


def z_for_all(
    differences: Float[Tensor, "k n"], stratum: Int[Tensor, " n"], group: Int[Tensor, " n"] | None = None
) -> float:
    """The z of bounds that all hold as often as one does at `Z_BOUND`.

    A difference counts by what it adds to the mean over strata, and those of a group are summed. As in
    `paired_gain` each rival has two more samples, one for it and one against it: few differences prove no
    correlation.

    >>> luck = torch.Generator().manual_seed(0)
    >>> one = torch.randn(1, 400, generator=luck)
    >>> zeros = torch.zeros(400, dtype=torch.long)
    >>> alone, alike, apart = (
    ...     z_for_all(d, zeros) for d in (one, one.repeat(5, 1), torch.randn(5, 400, generator=luck))
    ... )
    >>> print(f"{alone:.2f} {alike:.2f} {apart:.2f}")  # of five that have nothing in common: 2.20
    1.50 1.57 2.20
    """
    k, n = differences.shape
    if k < 2:
        return Z_BOUND
    counts = torch.bincount(stratum).double()
    share = n / (int((counts > 0).sum()) * counts[stratum])
    parts = differences.double() * share
    if group is not None:
        _, position = group.unique(return_inverse=True)
        parts = parts.new_zeros(k, int(position.max()) + 1).index_add(1, position, parts)
    products = parts @ parts.T + 2 * torch.eye(k, dtype=torch.float64)
    scale = products.diagonal().sqrt()
    values, vectors = torch.linalg.eigh(products / scale / scale[:, None])
    luck = torch.Generator().manual_seed(0)
    normal = torch.randn(DRAWS, k, generator=luck, dtype=torch.float64)
    largest = (normal * values.clamp_min(0).sqrt() @ vectors.T).amax(1)
    return max(Z_BOUND, float(largest.quantile(ONE_END)))
