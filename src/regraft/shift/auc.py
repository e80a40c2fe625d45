"""The area under the ROC curve with an interval that holds at its ends too."""

import math

import torch
from jaxtyping import Float, Int, Shaped
from scipy.special import ndtr
from torch import Tensor

from ..intervals import Interval, Z, effective


def auc(
    s: Float[Tensor, " n"],
    t: Float[Tensor, " m"],
    group_s: Int[Tensor, " n"] | None = None,
    group_t: Int[Tensor, " m"] | None = None,
) -> Interval:
    """P(t > s) + ½ P(t = s), with its 95 % interval; samples of a group count for fewer (`effective`).

    >>> str(auc(torch.tensor([0.0, 1.0, 2.0, 3.0]), torch.tensor([1.5, 2.5, 3.5, 4.5])))
    '0.81 [0.40, 0.97]'
    """
    return interval_of(*placements(s, t), group_s, group_t)


def placements(
    s: Float[Tensor, " n"], t: Float[Tensor, " m"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, " m"]]:
    """(for each s the share of t above it, for each t the share of s below it); what is equal counts half.

    >>> [v.tolist() for v in placements(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 2.0]))]
    [[1.0, 0.25], [0.5, 0.75]]
    """
    return 1 - _below(s, t), _below(t, s)


def interval_of(
    v_s: Float[Tensor, " n"],
    v_t: Float[Tensor, " m"],
    group_s: Int[Tensor, " n"] | None = None,
    group_t: Int[Tensor, " m"] | None = None,
    overlap: float = 0.0,
) -> Interval:
    """The mean placement θ, which is the area, and Wilson's interval with n_e samples.

    n_e is how many samples of a share θ would have the variance of DeLong, DeLong & Clarke-Pearson (1988),
    θ (1 − θ) / n_e = var v_s / n + var v_t / m. Where nothing overlaps that variance is 0, which says more
    than n samples can: n_e is at most what it is at the ends in the model of Hanley & McNeil (1982),
    n m / (1 + (n + m − 2) / 4). overlap: as for `intervals.share`.
    """
    n, m = effective(v_s, group_s), effective(v_t, group_t)
    theta = (float(v_s.mean()) + float(v_t.mean())) / 2
    variance = sum(
        float(v.double().var(correction=0)) / max(size - 1, 0.5) for v, size in ((v_s, n), (v_t, m))
    )
    most = n * m / (1 + (n + m - 2) / 4)
    n_e = min(theta * (1 - theta) / variance, most) if variance > 0 else most
    n_e /= 1 + 2 * overlap
    middle = (theta + Z**2 / (2 * n_e)) / (1 + Z**2 / n_e)
    half = Z / (1 + Z**2 / n_e) * math.sqrt(theta * (1 - theta) / n_e + Z**2 / (4 * n_e**2))
    return Interval(theta, max(0.0, min(theta, middle - half)), min(1.0, max(theta, middle + half)))


def p_value(
    s: Float[Tensor, " n"],
    t: Float[Tensor, " m"],
    group_s: Int[Tensor, " n"] | None = None,
    group_t: Int[Tensor, " m"] | None = None,
) -> float:
    """Two-sided, that P(t > s) = P(t < s): the test of Mann & Whitney, corrected for ties and for groups.

    >>> p_value(torch.zeros(9), torch.zeros(9)), p_value(torch.arange(9.0), torch.arange(9.0) + 9) < 0.001
    (1.0, True)
    """
    v_s, v_t = placements(s, t)
    n, m = len(s), len(t)
    counts = torch.cat([s, t]).unique(return_counts=True)[1].double()
    total = n + m
    ties = float((counts**3 - counts).sum()) / (total * (total - 1))
    variance = (total + 1 - ties) / (12 * n * m)
    design = max(n / effective(v_s, group_s), m / effective(v_t, group_t))
    if variance < 1e-12:
        return 1.0
    return float(2 * ndtr(-abs(float(v_s.mean()) - 0.5) / math.sqrt(variance * design)))


def holm(p: list[float], risk: float = 0.05) -> list[bool]:
    """Which of several hypotheses fall, with at most the chance `risk` that any of them is true (Holm 1979).

    >>> holm([0.04, 0.001, 0.03])
    [False, True, False]
    """
    fallen = [False] * len(p)
    for rank, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        if p[i] > risk / (len(p) - rank):
            break
        fallen[i] = True
    return fallen


def _below(a: Shaped[Tensor, " n"], b: Shaped[Tensor, " m"]) -> Float[Tensor, " n"]:
    """For each a the share of b that is below it, half of what is equal."""
    ordered, a = b.contiguous().sort().values, a.contiguous()
    left, right = torch.searchsorted(ordered, a), torch.searchsorted(ordered, a, right=True)
    return (left + right).double() / (2 * len(b))
