"""Least squares, on ±1 for classes or on numbers; leaving each sample out in turn is exact and costs one
decomposition."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import final

import scipy.linalg
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .fit import NEVER, ColumnsFit, LinearFit, check_samples, check_strengths, check_weight
from .rotation import Rotation, far_apart, rotate

# α over the mean eigenvalue of XᵀX, so that the grid follows the scale of x
RELATIVE_STRENGTHS = torch.logspace(-4, 4, 17, dtype=torch.float64)
# left-out scores that are all right would ask for an infinite factor
SHARPEST = 100.0
TOGETHER = 1 << 22  # numbers of the samples that are solved at once: 32 MiB


def fit_ridge(
    x: Float[Tensor, "n d"],
    y: Int[Tensor, " n"],
    classes: int,
    *,
    strengths: Sequence[float] | None = None,
    weight: Float[Tensor, " n"] | None = None,
) -> LinearFit:
    """β · argmin_{W,b} Σ wᵢ ‖W xᵢ + b − tᵢ‖² + α ‖W‖²,  tᵢ = +1 for the class of xᵢ and −1 for the others

    b is not penalised: the problem of scikit-learn's `RidgeClassifier`. α and β come from the scores that
    each sample gets when it is left out: those whose softmax has the lowest cross-entropy. The factor β,
    `sharpness`, changes no answer and makes probabilities of scores. The left-out scores are exact: with
    H = X (XᵀX + αI)⁻¹ Xᵀ the left-out residual is (t − H t)ᵢ / (1 − Hᵢᵢ), and one eigendecomposition
    serves every α. (On features of real photos α by this cross-entropy predicted held-out photos better
    than α by the squared error, and that better than α by accuracy.)

    strengths: the values of α; without them, the mean eigenvalue of XᵀX times 10⁻⁴ … 10⁴.
    losses: the mean left-out cross-entropy, with the best β for each α. The only sample of its class is not
    counted; if none counts, the losses are NaN, α is nearest to the mean eigenvalue and β is 1.
    A class without samples gets W = 0 and b = −30, under which it is never predicted.

    Golub, Heath & Wahba 1979; Rifkin & Klautau, JMLR 2004.

    >>> x = torch.tensor([[0.0], [1.0], [2.0], [3.0]], dtype=torch.float64)
    >>> fit = fit_ridge(x, torch.tensor([0, 0, 1, 1]), 2)
    >>> (x @ fit.weight.T + fit.bias).argmax(1)
    tensor([0, 0, 1, 1])
    """
    every = torch.arange(len(x))
    (fit,) = fit_ridge_each(x, y, classes, [every], strengths=strengths, weight=weight)
    return fit


def fit_ridge_each(
    x: Float[Tensor, "n d"],
    y: Int[Tensor, " n"],
    classes: int,
    kept: Sequence[Int[Tensor, " m"]],
    *,
    strengths: Sequence[float] | None = None,
    weight: Float[Tensor, " n"] | None = None,
    offset: Float[Tensor, "n k"] | None = None,
) -> list[LinearFit]:
    """`fit_ridge` on each of several subsets of the rows.

    offset: scores that each sample has already: W xᵢ + b is added to them before they are compared with tᵢ.
    What comes back is β W and β b, so that the scores are β · offset + x (β W)ᵀ + β b.

    Subsets of one size and the same classes are solved together, in the n − 1 dimensions that all samples
    span where these are fewer than d.

    >>> x, y = torch.arange(8.0)[:, None], torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    >>> [first, last] = fit_ridge_each(x, y, 2, [torch.arange(7), torch.arange(1, 8)])
    >>> torch.allclose(first.weight, fit_ridge(x[:7], y[:7], 2).weight)
    True
    """
    samples = check_samples(x, y, classes, weight)
    kept = [rows[samples[rows] > 0] for rows in kept]
    grid = None if strengths is None else check_strengths(strengths)
    z, shared = _rotated_once(x, kept)
    alike: dict[tuple[int, ...], list[int]] = {}
    for i, rows in enumerate(kept):
        alike.setdefault((len(rows), *y[rows].unique().tolist()), []).append(i)
    fits: dict[int, LinearFit] = {}
    for (_, *present), members in _in_turn(alike, z.shape[1]):
        rows = torch.stack([kept[i] for i in members])
        codes = torch.searchsorted(torch.tensor(present), y[rows])
        of_class = codes[:, None] == torch.arange(len(present))[:, None]
        target = 2 * of_class.double() - 1
        known = None if offset is None else offset.double()[:, present][rows].mT
        squares = _LeastSquares(z[rows], target, None if weight is None else samples[rows], known)
        # the only sample of its class has nothing to be judged by
        judged = squares.samples * (of_class.sum(2) > 1).gather(1, codes)
        for i, fit in zip(members, _classifiers(squares, codes, judged, grid), strict=True):
            turned = (fit.weight, fit.bias) if shared is None else shared.back(fit.weight, fit.bias)
            full_weight = torch.zeros(classes, x.shape[1], dtype=torch.float64)
            full_bias = torch.full((classes,), NEVER, dtype=torch.float64)
            full_weight[present], full_bias[present] = turned
            fits[i] = replace(fit, weight=full_weight, bias=full_bias)
    return [fits[i] for i in range(len(kept))]


def fit_numbers_each(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "n k"],
    kept: Sequence[Int[Tensor, " m"]],
    *,
    strengths: Sequence[float] | None = None,
    weight: Float[Tensor, " n"] | None = None,
) -> list[ColumnsFit]:
    """argmin_{W,b} Σ wᵢ ‖W xᵢ + b − yᵢ‖² + Σⱼ αⱼ ‖Wⱼ‖²  on each of several subsets of the rows

    Each of the k numbers has an α of its own: that of the lowest mean of (y − ŷ)² when single samples are
    left out, which is exact as in `fit_ridge`. strengths: the values of α, as there. With one sample, or all
    of x alike, it is the mean of y.

    >>> x, y = torch.arange(8.0)[:, None], 2 * torch.arange(8.0)[:, None] + 1
    >>> [fit] = fit_numbers_each(x, y, [torch.arange(8)], strengths=[1e-9])
    >>> round(fit.weight.item(), 6), round(fit.bias.item(), 6)
    (2.0, 1.0)
    """
    samples = check_weight(x, y, weight)
    kept = [rows[samples[rows] > 0] for rows in kept]
    grid = None if strengths is None else check_strengths(strengths)
    z, shared = _rotated_once(x, kept)
    alike: dict[tuple[int, ...], list[int]] = {}
    for i, rows in enumerate(kept):
        alike.setdefault((len(rows),), []).append(i)
    fits: dict[int, ColumnsFit] = {}
    for _, members in _in_turn(alike, z.shape[1]):
        rows = torch.stack([kept[i] for i in members])
        squares = _LeastSquares(z[rows], y[rows].double().mT, None if weight is None else samples[rows])
        for i, fit in zip(members, _regressions(squares, grid), strict=True):
            turned = (fit.weight, fit.bias) if shared is None else shared.back(fit.weight, fit.bias)
            fits[i] = replace(fit, weight=turned[0], bias=turned[1])
    return [fits[i] for i in range(len(kept))]


def fit_known_numbers(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "n k"],
    kept: Sequence[Int[Tensor, " m"]],
    observed: Bool[Tensor, "n k"] | None = None,
    weight: Float[Tensor, " n"] | None = None,
) -> list[ColumnsFit]:
    """`fit_numbers_each` where some of y may be unknown: each number is fitted to the samples that know it.

    A number of which a subset knows nothing is 0 everywhere.
    """
    if observed is None:
        return fit_numbers_each(x, y, kept, weight=weight)
    empty = ColumnsFit(
        *(torch.zeros(*shape, dtype=torch.float64) for shape in ((1, x.shape[1]), (1,), (1,), (1,)))
    )
    fits = []
    for column, known in zip(y.T, observed.T, strict=True):
        rows = [some[known[some]] for some in kept]
        there = [some for some in rows if len(some)]
        found = iter(fit_numbers_each(x, column[:, None], there, weight=weight))
        fits.append([next(found) if len(some) else empty for some in rows])
    return [
        ColumnsFit(
            torch.cat([fit.weight for fit in of_subset]),
            torch.cat([fit.bias for fit in of_subset]),
            torch.cat([fit.strength for fit in of_subset]),
            torch.cat([fit.loss for fit in of_subset]),
        )
        for of_subset in zip(*fits, strict=True)
    ]


def _in_turn(
    alike: dict[tuple[int, ...], list[int]], columns: int
) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """The sets that are solved together: those of one size, as many as fit into little memory.

    To solve several at once spares calls, which cost more than the numbers do where there are few of these.
    """
    for key, members in alike.items():
        together = max(1, TOGETHER // max(1, key[0] * columns))
        for i in range(0, len(members), together):
            yield key, members[i : i + together]


def _rotated_once(
    x: Float[Tensor, "n d"], kept: Sequence[Int[Tensor, " m"]]
) -> tuple[Float[Tensor, "n r"], Rotation | None]:
    """x, or where several subsets have fewer samples than columns, its coordinates in the samples' span."""
    shared = rotate(x) if len(kept) > 1 and x.shape[0] <= x.shape[1] else None
    if shared is None or far_apart(shared.z, kept):
        return x, None
    return shared.z, shared


@final
class _LeastSquares:
    """Ridge regressions on p sets of samples, in rotated coordinates, where every strength is a division."""

    def __init__(
        self,
        x: Float[Tensor, "p n d"],
        target: Float[Tensor, "p k n"],
        samples: Float[Tensor, "p n"] | None,
        offset: Float[Tensor, "p k n"] | None = None,
    ) -> None:
        self.rotation = rotate(x, samples)
        self.z, self.eigenvalues = self.rotation.z, self.rotation.eigenvalues
        self.target, self.offset = target if offset is None else target - offset, offset
        ones = torch.ones(target.shape[0], target.shape[2], dtype=torch.float64)
        self.samples = ones if samples is None else samples
        self.share = self.samples / self.samples.sum(1, keepdim=True)
        self.mean = (self.target * self.share[:, None]).sum(2)
        self.moment = ((self.target - self.mean[..., None]) * self.samples[:, None]) @ self.z  # p k r

    @property
    def middle(self) -> Float[Tensor, " p"]:
        """The mean eigenvalue of each set."""
        there = (self.eigenvalues > 0).sum(1)
        return torch.where(there > 0, self.eigenvalues.sum(1) / there.clamp_min(1), 1.0)

    def strengths(self, grid: Float[Tensor, " s"] | None) -> Float[Tensor, "p s"]:
        """The values of α for each set."""
        return self.middle[:, None] * RELATIVE_STRENGTHS if grid is None else grid.expand(len(self.z), -1)

    def solved(self, strength: Float[Tensor, "p k"]) -> tuple[Float[Tensor, "p k d"], Float[Tensor, "p k"]]:
        """The solution of each set, for an α of each target, or one for all."""
        return self.rotation.back(self.moment / (self.eigenvalues[:, None] + strength[..., None]), self.mean)

    def left_out(self, strengths: Float[Tensor, "p s"]) -> Float[Tensor, "p s k n"]:
        """The scores that each sample gets from the others."""
        # 1 − h and t − Ht start from their limits at α = 0, because they cancel where α is small
        limit = torch.where(self.eigenvalues > 0, 1 / self.eigenvalues, 0.0)[:, None]  # p 1 r
        ratio = strengths[..., None] * limit / (self.eigenvalues[:, None] + strengths[..., None])  # p s r
        shares = torch.cat([limit, ratio], 1) @ self.z.square().mT * self.samples[:, None]
        rest = (1 - self.share - shares[:, 0]).clamp_min(0)[:, None] + shares[:, 1:]  # p s n
        weights = torch.cat([limit, -ratio], 1)[:, :, None] * self.moment[:, None]  # p s+1 k r
        fitted = (weights.flatten(1, 2) @ self.z.mT).unflatten(1, (-1, self.target.shape[1]))
        residual = (self.target - self.mean[..., None])[:, None] - fitted[:, :1] - fitted[:, 1:]
        scores: Tensor = self.target[:, None] - residual / rest.clamp_min(1e-12)[:, :, None]
        return scores if self.offset is None else scores + self.offset[:, None]


def _classifiers(
    squares: _LeastSquares,
    y: Int[Tensor, "p n"],
    judged: Float[Tensor, "p n"],
    grid: Float[Tensor, " s"] | None,
) -> Iterator[LinearFit]:
    """The solution of each set at the strength of its lowest loss, for the classes that it has."""
    middle, strengths = squares.middle, squares.strengths(grid)
    losses, sharpness = _cross_entropies(squares, y, judged, strengths)
    nothing = judged.sum(1) == 0
    losses[nothing], sharpness[nothing] = torch.nan, 1.0
    usual = (strengths.log() - middle.log()[:, None]).abs().argmin(1)
    chosen = torch.where(nothing, usual, losses.argmin(1))[:, None]
    strength, factor = strengths.gather(1, chosen), sharpness.gather(1, chosen)
    solved, bias = squares.solved(strength)
    for i, beta in enumerate(factor[:, 0].tolist()):
        found = (float(strength[i]), strengths[i], losses[i], beta)
        yield LinearFit(beta * solved[i], beta * bias[i], *found)


def _cross_entropies(
    squares: _LeastSquares,
    y: Int[Tensor, "p n"],
    judged: Float[Tensor, "p n"],
    strengths: Float[Tensor, "p s"],
) -> tuple[Float[Tensor, "p s"], Float[Tensor, "p s"]]:
    """The left-out cross-entropy of each strength and the sharpness it takes."""
    losses, sharpness = [], []
    for some in strengths.split(_at_once(squares), 1):
        times = some.shape[1]
        codes, weight = (each.repeat_interleave(times, 0) for each in (y, judged))
        found = sharpened(squares.left_out(some).flatten(0, 1).float(), codes, weight)
        losses.append(found[0].view(-1, times))
        sharpness.append(found[1].view(-1, times))
    return torch.cat(losses, 1).double(), torch.cat(sharpness, 1).double()


def _regressions(squares: _LeastSquares, grid: Float[Tensor, " s"] | None) -> Iterator[ColumnsFit]:
    """The solution of each set, for each number at the strength of its lowest left-out squared error."""
    strengths = squares.strengths(grid)
    losses = torch.cat(
        [
            ((squares.left_out(some) - squares.target[:, None]).square() * squares.share[:, None, None]).sum(
                3
            )
            for some in strengths.split(_at_once(squares), 1)
        ],
        1,
    )
    chosen = losses.argmin(1)  # p k
    strength, loss = strengths.gather(1, chosen), losses.gather(1, chosen[:, None])[:, 0]
    solved, bias = squares.solved(strength)
    for found in zip(solved, bias, strength, loss, strict=True):
        yield ColumnsFit(*found)


def _at_once(squares: _LeastSquares) -> int:
    """How many strengths are judged together."""
    return max(1, 2**22 // squares.target.numel())


def sharpened(
    scores: Float[Tensor, "s k n"], y: Int[Tensor, "s n"], weight: Float[Tensor, "s n"]
) -> tuple[Float[Tensor, " s"], Float[Tensor, " s"]]:
    """min_β Σ wᵢ ℓ(β scoresᵢ, yᵢ) / Σ wᵢ and the β, for each set of scores; ℓ is the cross-entropy.

    >>> scores = torch.tensor([[[1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]])
    >>> loss, sharpness = sharpened(scores, torch.zeros(1, 4, dtype=torch.long), torch.ones(1, 4))
    >>> sharpness.exp()  # right three times as often as wrong
    tensor([3.0000])
    """
    share = (weight / weight.sum(1, keepdim=True).clamp_min(1e-30)).to(scores.dtype)
    right = scores.gather(1, y[:, None])[:, 0]
    beta = torch.ones_like(scores[:, 0, 0])
    for _ in range(12):
        p = torch.softmax(beta[:, None, None] * scores, 1)
        mean = (p * scores).sum(1)
        slope = ((mean - right) * share).sum(1)
        curvature = (((p * scores.square()).sum(1) - mean.square()) * share).sum(1)
        # steps in log β, which the convex loss allows to be long
        step = (slope / (beta * curvature).clamp_min(1e-12)).clamp(-1, 1)
        beta = (beta * torch.exp(-step)).clamp(1 / SHARPEST, SHARPEST)
        if step.abs().max() < 1e-3:  # the next would be its square
            break
    logits = beta[:, None, None] * scores
    return ((torch.logsumexp(logits, 1) - beta[:, None] * right) * share).sum(1), beta


def solved_ridge(
    x: Float[Tensor, "n d"], t: Float[Tensor, "n k"], weight: Float[Tensor, " n"], strength: float
) -> tuple[Float[Tensor, "k d"], Float[Tensor, " k"]]:
    """(W, b) = argmin Σ wᵢ ‖W xᵢ + b − tᵢ‖² + α ‖W‖² for one α, by one solution.

    >>> x, t = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [3.0]])
    >>> w, b = solved_ridge(x, t, torch.ones(2), 1e-9)
    >>> round(w.item(), 4), round(b.item(), 4)
    (2.0, 1.0)
    """
    kept = (weight > 0).nonzero().squeeze(1)
    x, t, w = x[kept].double(), t[kept].double(), weight[kept].double()
    centre, goal = w @ x / w.sum(), w @ t / w.sum()
    root = w.sqrt()[:, None]
    u, v = root * (x - centre), root * (t - goal)
    small = u.T @ u
    small.diagonal().add_(strength)
    solution: Tensor = torch.cholesky_solve(u.T @ v, torch.linalg.cholesky(small)).T
    return solution, goal - torch.mv(solution, centre)


def solved_by_pairs(
    pairs: Float[Tensor, "n n"], t: Float[Tensor, "n k"], weight: Float[Tensor, " n"], strength: float
) -> tuple[Float[Tensor, "n k"], Float[Tensor, " k"]]:
    """(a, b), W = aᵀ x the solution of `solved_ridge`, of pairs = x xᵀ; what is said of x is x xᵀ a + b.

    It is that of (x xᵀ + α diag(1/w)) a + b 1 = t,  1ᵀ a = 0; samples of no weight have a = 0. For whoever
    solves for several weights or targets of more columns than samples. Solved is the system times √w from
    both sides, in which a small weight is no large number.

    >>> x, t = torch.tensor([[0.0], [1.0]]).double(), torch.tensor([[1.0], [3.0]])
    >>> a, b = solved_by_pairs(x @ x.T, t, torch.ones(2), 1e-9)
    >>> [round(said, 4) for said in (x @ x.T @ a + b).squeeze(1).tolist()]
    [1.0, 3.0]
    """
    kept = (weight > 0).nonzero().squeeze(1)
    root = weight[kept].double().sqrt()[:, None]
    system = (root * pairs[kept][:, kept] * root.T).numpy()
    system.flat[:: len(kept) + 1] += strength
    sides = torch.cat([t[kept].double(), torch.ones(len(kept), 1, dtype=torch.float64)], 1)
    factor = scipy.linalg.cho_factor(system, overwrite_a=True, check_finite=False)
    solved = root * torch.from_numpy(
        scipy.linalg.cho_solve(factor, (root * sides).numpy(), check_finite=False)
    )
    of_targets, of_ones = solved[:, :-1], solved[:, -1:]
    b = of_targets.sum(0) / of_ones.sum()
    a = torch.zeros(len(pairs), t.shape[1], dtype=torch.float64)
    a[kept] = of_targets - of_ones * b
    return a, b
