"""How far apart two samples are: for linear classifiers, for pairs of them, and for kernels."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize
from scipy.special import expit
from torch import Tensor

from ..domain import Domain
from ..intervals import Interval, share
from ..output import Classes
from ..seeds import seed_of
from ..terms.discrepancy import kernel, median_gammas
from .auc import interval_of, placements
from .probe import Probed, evenly, probed

Array = npt.NDArray[np.float64]
SIDES = Classes(("first", "second"))
PERMUTATIONS = 999
MOST_IN_KERNEL = 500  # samples of each side: the permutation test looks at all pairs
STARTS = 3  # of the search for a pair of classifiers
STEPS = 60
STRENGTH = 1.0  # C of that search, for features of root mean square 1


@final
@dataclass(frozen=True, eq=False)
class Apart:
    """How well a linear classifier tells one sample from another, held out.

    auc: the area under its ROC curve; 0.5 for samples of one distribution, 1 where it confuses none.
    discrepancy: max_h |P_s(h) − P_t(h)| over linear h, as far as cross-validation finds it (`told_apart`).
    """

    auc: Interval
    discrepancy: Interval
    probe: Probed
    side: Int[Tensor, " n"]

    def to_json(self) -> dict[str, Any]:
        return {"auc": self.auc.to_json(), "discrepancy": self.discrepancy.to_json()}


def together(s: Domain, t: Domain) -> Domain:
    """The features of both, labelled by the side that they come from; groups are the same on both sides."""
    x = torch.cat([s.x, t.x])
    side = torch.cat([torch.zeros(len(s)), torch.ones(len(t))]).long()
    group = None if s.group is None or t.group is None else torch.cat([s.group, t.group])
    return Domain(x, side, SIDES, group=group)


def told_apart(s: Domain, t: Domain, seed: int) -> Apart:
    """A logistic regression that tells the two apart, each weighing half, asked about samples held out.

    H are the half-spaces h(x) = [w·x + b > 0] of the features, and disc = max_h |P_s(h = 1) − P_t(h = 1)|. A
    half-space is a classifier of the domain with the balanced error ε = ½ (P_s(h = 1) + P_t(h = 0)), so
    disc = 1 − 2 min_h ε: 0 where none does better than chance, 1 where one makes no error. Conventions:

    - the proxy A-distance is 2 (1 − 2 ε), twice as much, and so is d_H of Ben-David et al. (2010);
    - disc of Mansour, Mohri & Rostamizadeh (2009), arXiv:0902.3430, definition 4, with the 0–1 loss is
      max over *pairs* |P_s(g ≠ h) − P_t(g ≠ h)|, half of d_HΔH. Constants are half-spaces too, so it is at
      least as large as what is given here; `told_apart_by_pairs` looks for it. The bound needs that one.

    The maximum is replaced by the regression's and judged on held-out samples, so the value is rather too
    small; below 0, which is chance, it is 0. Intervals are 95 %, widened for folds that overlap.

    >>> luck = torch.Generator().manual_seed(0)
    >>> x = torch.randn(200, 3, generator=luck)
    >>> found = told_apart(Domain(x[:100]), Domain(x[100:] + torch.tensor([2.0, 0.0, 0.0])), seed=0)
    >>> 0.55 < found.discrepancy.value < 0.8  # Φ(1) − Φ(−1) = 0.68
    True
    """
    both = together(s, t)
    probe = probed(both, seed, evenly(both.labels))
    score = probe.scores[:, 1] - probe.scores[:, 0]
    return Apart(
        _area(score, both, probe),
        _rate_difference(score > 0, both, probe),
        probe,
        both.labels,
    )


def told_apart_by_pairs(s: Domain, t: Domain, apart: Apart, seed: int) -> Interval:
    """max_{g,h} |P_s(g ≠ h) − P_t(g ≠ h)| over pairs of half-spaces, as far as cross-validation finds it.

    g and h differ where their scores have another sign, so the domain is told by the sign of
    (v·x + a)(w·x + b), fitted by its logistic loss + ridge. Of three starts (the linear classifier with a
    constant for the other, and two at random) the one that ends lowest counts. Folds and factors are those
    of `told_apart`.

    >>> luck = torch.Generator().manual_seed(0)
    >>> x = torch.randn(400, 2, generator=luck)
    >>> inside, outside = Domain(x[:200] * 0.3), Domain(x[200:] * torch.tensor([3.0, 0.3]))
    >>> found = told_apart(inside, outside, seed=0)
    >>> found.discrepancy.value < 0.3 < 0.6 < told_apart_by_pairs(inside, outside, found, seed=0).value
    True
    """
    both = together(s, t)
    z, weight = both.x.double(), evenly(both.labels)
    sign = 2.0 * both.labels.double() - 1
    score = torch.zeros(len(both), dtype=torch.float64)
    for i, (rows, fit) in enumerate(zip(apart.probe.folds, apart.probe.fits, strict=True)):
        kept = apart.probe.fold != i
        start = torch.cat([fit.weight[1] - fit.weight[0], (fit.bias[1] - fit.bias[0])[None]])
        g, h = _pair(z[kept], sign[kept], weight[kept], start, seed_of(seed, "pairs", i))
        score[rows] = _score(z[rows], g) * _score(z[rows], h)
    return _rate_difference(score > 0, both, apart.probe)


def mmd_test(s: Domain, t: Domain, seed: int) -> tuple[float, float]:
    """(unbiased MMD², the share of random relabellings that have no smaller one), of at most 500 of each.

    Sides are dealt anew to whole groups where there are some. p = (1 + #{MMD² of a relabelling ≥ MMD²}) /
    (1 + 999).

    >>> x = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    >>> mmd_test(Domain(x[:30]), Domain(x[30:] + 3), seed=0)[1]
    0.001
    """
    luck = torch.Generator().manual_seed(seed_of(seed, "permutations"))
    drawn = [d[torch.randperm(len(d), generator=luck)[:MOST_IN_KERNEL].sort().values] for d in (s, t)]
    both = together(*drawn)
    z, side = both.x.double(), both.labels
    unit = torch.arange(len(both)) if both.group is None else both.group.unique(return_inverse=True)[1]
    # a group on both sides (a copy) is dealt by the side of its first sample
    of_unit = torch.zeros(int(unit.max()) + 1, dtype=torch.long)
    of_unit[unit.flip(0)] = side.flip(0)
    deals = [of_unit[torch.randperm(len(of_unit), generator=luck)][unit] for _ in range(PERMUTATIONS)]
    in_t = torch.stack([side, *deals], 1).double()  # n p
    k = kernel(z, z, median_gammas(drawn[0].x.double(), drawn[1].x.double()))
    k.fill_diagonal_(0.0)
    m = in_t.sum(0)
    n = len(z) - m
    rows = k @ in_t
    t_t, t_all = (in_t * rows).sum(0), rows.sum(0)
    s_t = t_all - t_t
    s_s = k.sum() - t_t - 2 * s_t
    found = (
        s_s / (n * (n - 1)).clamp_min(1) + t_t / (m * (m - 1)).clamp_min(1) - 2 * s_t / (n * m).clamp_min(1)
    )
    rounding = 1e-12
    return float(found[0]), float((found >= found[0] - rounding).double().mean())


def _area(score: Float[Tensor, " n"], both: Domain, probe: Probed) -> Interval:
    """Each sample is placed among those of its fold: every regression has a scale of its own."""
    v = torch.full((len(both),), torch.nan, dtype=torch.float64)
    for rows in probe.folds:
        s, t = (rows[both.labels[rows] == c] for c in (0, 1))
        if len(s) and len(t):
            v[s], v[t] = placements(score[s], score[t])
    sides = [(both.labels == c) & v.isfinite() for c in (0, 1)]
    group_s, group_t = (None if both.group is None else both.group[rows] for rows in sides)
    return interval_of(v[sides[0]], v[sides[1]], group_s, group_t, probe.overlap)


def _rate_difference(second: Bool[Tensor, " n"], both: Domain, probe: Probed) -> Interval:
    """2 × balanced accuracy − 1, and 0 for what is worse than chance."""
    rows = probe.judged
    right = (second == (both.labels == 1))[rows].double()
    group = None if both.group is None else both.group[rows]
    found = share(right, both.labels[rows], group, probe.overlap)
    return Interval(*(max(0.0, 2 * v - 1) for v in (found.value, found.low, found.high)))


def _pair(
    z: Float[Tensor, "n d"],
    sign: Float[Tensor, " n"],
    weight: Float[Tensor, " n"],
    start: Float[Tensor, " e"],
    seed: int,
) -> tuple[Float[Tensor, " e"], Float[Tensor, " e"]]:
    """argmin ½ (‖v‖² + ‖w‖²) + C Σ wᵢ log(1 + exp(−sᵢ (v·xᵢ + a)(w·xᵢ + b)))"""
    random = np.random.default_rng(seed)
    ones = np.concatenate([z.numpy(), np.ones((len(z), 1))], 1)
    s, w, n, e = sign.numpy(), weight.numpy(), len(z), len(start)
    ridge = np.concatenate([np.ones(e - 1), [0.0]]) / (STRENGTH * n)

    def loss(flat: Array) -> tuple[float, Array]:
        g, h = flat[:e], flat[e:]
        a, b = ones @ g, ones @ h
        margin = s * a * b
        slope = -w * s * expit(-margin) / n
        value = (w * np.logaddexp(0, -margin)).mean() + ((ridge * g) @ g + (ridge * h) @ h) / 2
        return value, np.concatenate([ones.T @ (slope * b) + ridge * g, ones.T @ (slope * a) + ridge * h])

    constant = np.eye(e)[-1]
    starts = [np.concatenate([start.numpy(), constant])]
    starts += [random.standard_normal(2 * e) for _ in range(STARTS - 1)]
    ends = [minimize(loss, x, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}) for x in starts]
    best = torch.from_numpy(min(ends, key=lambda end: float(end.fun)).x)
    return best[:e], best[e:]


def _score(z: Float[Tensor, "n d"], h: Float[Tensor, " e"]) -> Float[Tensor, " n"]:
    return torch.mv(z, h[:-1]) + h[-1]
