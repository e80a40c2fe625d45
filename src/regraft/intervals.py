"""Intervals for shares and for paired differences of shares, valid for few samples."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from scipy.special import stdtrit  # scipy.stats takes half a second to import
from torch import Tensor

Z = 1.959964  # a 95 % interval
Z_BOUND = 1.5  # one end alone: 93 % of a normal distribution
ONE_END = 0.933


@dataclass(frozen=True)
class Interval:
    """A number with the ends of its interval.

    >>> str(Interval(0.8, 0.71, 0.87))
    '0.80 [0.71, 0.87]'
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"

    def points(self) -> str:
        """As a difference in points of a percentage.

        >>> Interval(0.042, -0.01, 0.09).points()
        '+4.2 points [−1.0, +9.0]'
        """
        value, low, high = (f"{100 * v:+.1f}".replace("-", "−") for v in (self.value, self.low, self.high))
        return f"{value} points [{low}, {high}]"

    def in_digits(self) -> str:
        """With three digits that count, for what is measured in some unit.

        >>> Interval(1234.5, 1100.0, 1370.2).in_digits()
        '1.23e+03 [1.1e+03, 1.37e+03]'
        """
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"

    def within(self, lowest: float, highest: float) -> "Interval":
        """With ends that a number of this kind can have."""
        return Interval(self.value, max(self.low, lowest), min(self.high, highest))

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "low": self.low, "high": self.high}


def standard_error(gain: Interval) -> float:
    """Of a paired difference, whose ends are bounds of one side each.

    >>> round(standard_error(Interval(0.02, -0.01, 0.05)), 3)
    0.02
    """
    return (gain.high - gain.low) / (2 * Z_BOUND)


def share(
    correct: Float[Tensor, " n"],
    stratum: Int[Tensor, " n"],
    group: Int[Tensor, " n"] | None = None,
    overlap: float = 0.0,
) -> Interval:
    """The mean over strata of the share that is correct.

    correct: for each sample a number in [0, 1]. stratum: its class where classes count alike (balanced
    accuracy), or all zeros (accuracy), for which this is the interval of Agresti and Coull (1998),
    p̃ ± z √(p̃(1 − p̃)/ñ) with ñ = n + z² and p̃ = (Σ correct + z²/2)/ñ, whose middle is Wilson's. With k
    strata each takes a k-th of the z² added samples. Samples of one group count for as many independent
    ones as `effective` finds in them.

    overlap: 0 where one model was tested. Where each fold was predicted by a model of its own, fitted to the
    others, and the number stands for a further one, it is n₂/n₁, the size of a fold over that of the rest:
    the variance is taken times 1 + 2 n₂/n₁, once for what the folds' models differ and once for the one that
    is handed over (Nadeau & Bengio 2003 add n₂/n₁ for the first), and Student's t with n − 1 degrees of
    freedom stands for z in the width. `benchmarks/honesty.py` measures what that covers.

    >>> str(share(torch.tensor([1.0] * 8 + [0.0] * 2), torch.zeros(10, dtype=torch.long)))
    '0.80 [0.48, 0.95]'
    """
    strata = stratum.unique().tolist()
    added = Z**2 / len(strata)
    value = middle = variance = 0.0
    for c in strata:
        here = stratum == c
        n = effective(correct[here], None if group is None else group[here])
        mean = float(correct[here].mean())
        p = (mean * n + added / 2) / (n + added)
        value += mean / len(strata)
        middle += p / len(strata)
        variance += p * (1 - p) / (n + added) / len(strata) ** 2
    z = Z if overlap == 0 else float(stdtrit(max(1, len(correct) - 1), 0.975))
    return _around(value, middle, z * math.sqrt(variance * (1 + 2 * overlap)), lowest=0.0)


def paired_gain(
    ours: Float[Tensor, " n"],
    theirs: Float[Tensor, " n"],
    stratum: Int[Tensor, " n"],
    group: Int[Tensor, " n"] | None = None,
    z: float = Z_BOUND,
) -> Interval:
    """The difference of two such means on the same samples, with the bound below and the bound above it.

    With one stratum and 0 or 1 for each sample it is the adjusted Wald interval of Bonett and Price (2012)
    with z = 1.5, which is 93 % at either end: of n samples b are right by ours alone and c by theirs alone,
    p₁ = (b + 1)/(n + 2), p₂ = (c + 1)/(n + 2), p₁ − p₂ ± z √((p₁ + p₂ − (p₁ − p₂)²)/(n + 2)).
    Repeated folds give fractions dᵢ, whose mean square (Σ dᵢ² + 2)/(n + 2) is less than p₁ + p₂; half of
    that is taken for certainty, and the mean of both stands in the root. The other half pays for the folds'
    sharing samples and for having picked the best of a few.
    Both were chosen in simulation (`benchmarks/honesty.py --choosing`): there 4 to 8 % of the true gains lay
    below the lower bound, and 7 to 11 % above the upper one. With z = 1.645 and p₁ + p₂ the verdict had less
    than nine tenths of the power of as many fresh labels. z is another where several gains are to hold at
    once (`simultaneous.z_for_all`).

    >>> zeros = torch.zeros(50, dtype=torch.long)
    >>> ours, theirs = torch.ones(50), torch.cat([torch.ones(40), torch.zeros(10)])
    >>> paired_gain(ours, theirs, zeros).points()
    '+20.0 points [+10.1, +28.4]'
    """
    strata = stratum.unique().tolist()
    k = len(strata)
    difference = ours - theirs
    value = middle = variance = 0.0
    for c in strata:
        d = difference[stratum == c]
        n = effective(d, None if group is None else group[stratum == c])
        p1 = (float(d.clamp_min(0).mean()) * n + 1 / k) / (n + 2 / k)
        p2 = (float((-d).clamp_min(0).mean()) * n + 1 / k) / (n + 2 / k)
        value += float(d.mean()) / k
        middle += (p1 - p2) / k
        squares = (float(d.pow(2).mean()) * n + 2 / k) / (n + 2 / k)
        variance += ((p1 + p2 + squares) / 2 - (p1 - p2) ** 2) / (n + 2 / k) / k**2
    return _around(value, middle, z * math.sqrt(variance), lowest=-1.0)


def mean_of(
    values: Float[Tensor, " n"], group: Int[Tensor, " n"] | None = None, overlap: float = 0.0
) -> Interval:
    """The mean of any numbers, one a sample, with its 95 % interval by Student's t.

    group, overlap: as for `share`. `benchmarks/outputs.py --intervals` measures what it covers for R².

    >>> str(mean_of(torch.tensor([1.0, 2.0, 3.0])))
    '2.00 [-0.48, 4.48]'
    """
    return _spread(values, group, overlap, 0.975)


def mean_gain(
    ours: Float[Tensor, " n"],
    theirs: Float[Tensor, " n"],
    group: Int[Tensor, " n"] | None = None,
    overlap: float = 0.0,
) -> Interval:
    """The mean difference of any numbers, with the bound below and the bound above it, each for 93 %."""
    return _spread(ours - theirs, group, overlap, ONE_END)


def _spread(
    values: Float[Tensor, " n"], group: Int[Tensor, " n"] | None, overlap: float, quantile: float
) -> Interval:
    n = effective(values, group)
    value = float(values.double().mean())
    if n <= 1:
        return Interval(value, -math.inf, math.inf)
    variance = float(values.double().var(correction=0)) / (n - 1) * (1 + 2 * overlap)
    half = float(stdtrit(n - 1, quantile)) * math.sqrt(variance)
    return Interval(value, value - half, value + half)


def effective(values: Float[Tensor, " n"], group: Int[Tensor, " n"] | None) -> float:
    """How many independent samples are worth as much as these, whose groups belong together.

    n / D, where the design effect D ≥ 1 is the variance of the mean with residuals summed by group,
    g/(g − 1) Σ_groups (Σ (xᵢ − x̄))² / n², over what it would be without groups, Σ (xᵢ − x̄)² / n². For g
    groups of unequal size stands the number of equal ones that would tell as much of the variance,
    (Σ_groups n_g²)² / Σ_groups n_g⁴ (Satterthwaite). The variance of few groups is itself uncertain, so D
    also has the square of t over z with g − 1 degrees of freedom. Where all values are equal nothing can
    be seen of it, and the answer is n² / Σ_groups n_g².

    >>> alike = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    >>> effective(alike, None)
    8.0
    >>> effective(alike, torch.tensor([0, 0, 0, 1, 1, 1, 2, 3])) < 4
    True
    """
    n = len(values)
    if group is None:
        return float(n)
    _, position, sizes = group.unique(return_inverse=True, return_counts=True)
    if len(sizes) == n:
        return float(n)
    squares = sizes.double().pow(2)
    residual = values.double() - values.double().mean()
    apart = float(residual.pow(2).sum())
    if apart < 1e-12 or len(sizes) == 1:
        return float(n * n / squares.sum())
    g = float(squares.sum() ** 2 / squares.pow(2).sum())
    summed = torch.zeros(len(sizes), dtype=torch.float64).index_add(0, position, residual)
    uncertain = float(stdtrit(g - 1, 0.975) / Z) ** 2
    return float(n) / max(1.0, g / (g - 1) * float(summed.pow(2).sum()) / apart * uncertain)


def _around(value: float, middle: float, half: float, lowest: float) -> Interval:
    low, high = max(lowest, middle - half), min(1.0, middle + half)
    return Interval(value, min(low, value), max(high, value))
