"""What repeats with overlapping training sets tell of a mean, and of several means at once."""

import math
from collections.abc import Sequence

from jaxtyping import Float
from scipy.special import stdtrit
from torch import Tensor

from ..intervals import Interval

RISK = 0.05  # of a two-sided interval, or of any of several


def over_repeats(values: Float[Tensor, " r"], overlap: float, risk: float = RISK) -> Interval:
    """x̄ ± t_{r−1} s √(1/r + n₂/n₁): the mean over repeats that were tested on n₂ and trained on n₁ samples.

    Training sets that overlap make repeats more alike than new samples would be; the term n₂/n₁, `overlap`,
    pays for it (Nadeau & Bengio, Machine Learning 52, 2003). risk: that the interval misses, two-sided.

    >>> import torch
    >>> over_repeats(torch.tensor([0.1, 0.2, 0.3]), overlap=0.25).points()
    '+20.0 points [−12.9, +52.9]'
    """
    r = len(values)
    mean, deviation = float(values.double().mean()), float(values.double().std())
    half = float(stdtrit(r - 1, 1 - risk / 2)) * deviation * math.sqrt(1 / r + overlap)
    return Interval(mean, mean - half, mean + half)


def at_once(several: Sequence[Float[Tensor, " r"]], overlap: float, risk: float = RISK) -> list[Interval]:
    """An interval for each of k means; that any excludes a zero that is true has at most the chance `risk`.

    The levels are those of Holm's procedure (1979): the clearest is taken at risk / k, the next at
    risk / (k − 1) and so on, and from the first that includes zero on all are taken at its level.

    >>> import torch
    >>> clear, doubtful = torch.tensor([0.10, 0.11, 0.12]), torch.tensor([0.0, 0.0, 0.1])
    >>> [interval.low > 0 for interval in at_once([doubtful, clear], overlap=0.0)]
    [False, True]
    """
    found: dict[int, Interval] = {}
    level = risk / max(1, len(several))
    for rank, i in enumerate(sorted(range(len(several)), key=lambda i: -_clarity(several[i]))):
        if all(excludes_zero(interval) for interval in found.values()):
            level = risk / (len(several) - rank)
        found[i] = over_repeats(several[i], overlap, level)
    return [found[i] for i in range(len(several))]


def below_to_the_end(several: Sequence[Interval]) -> int | None:
    """Where the intervals that lie below zero begin, up to and with the last; None if the last does not.

    Looked at from the last one back, and no further than the first that does not lie below, each may have
    the full level: to claim anything wrongly, the first wrong claim has to be made at its own level
    (a fixed sequence; Maurer, Hothorn & Lehmacher 1995).

    >>> below, around = Interval(-0.2, -0.3, -0.1), Interval(-0.2, -0.5, 0.1)
    >>> below_to_the_end([below, around, below, below]), below_to_the_end([below, around])
    (2, None)
    """
    first = len(several)
    while first and several[first - 1].high < 0:
        first -= 1
    return first if first < len(several) else None


def excludes_zero(interval: Interval) -> bool:
    return interval.low > 0 or interval.high < 0


def _clarity(values: Float[Tensor, " r"]) -> float:
    """|x̄| / s, which orders means as their p-values do."""
    mean, deviation = abs(float(values.double().mean())), float(values.double().std())
    if deviation > 0:
        return mean / deviation
    return math.inf if mean > 0 else 0.0
