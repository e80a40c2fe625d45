"""Least squares on ±1 targets; leaving each sample out in turn is exact and costs one decomposition."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .fit import NEVER, LinearFit, check_samples, check_strengths
from .rotation import far_apart, rotate

# α over the mean eigenvalue of XᵀX, so that the grid follows the scale of x
RELATIVE_STRENGTHS = torch.logspace(-4, 4, 17, dtype=torch.float64)
# left-out scores that are all right would ask for an infinite factor
SHARPEST = 100.0


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
) -> list[LinearFit]:
    """`fit_ridge` on each of several subsets of the rows.

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
    shared = rotate(x) if len(kept) > 1 and x.shape[0] <= x.shape[1] else None
    if shared is not None and far_apart(shared.z, kept):
        shared = None
    z = x if shared is None else shared.z
    alike: dict[tuple[int, ...], list[int]] = {}
    for i, rows in enumerate(kept):
        alike.setdefault((len(rows), *y[rows].unique().tolist()), []).append(i)
    fits: dict[int, LinearFit] = {}
    for (_, *present), members in alike.items():
        rows = torch.stack([kept[i] for i in members])
        codes = torch.searchsorted(torch.tensor(present), y[rows])
        squares = _LeastSquares(z[rows], codes, len(present), None if weight is None else samples[rows])
        for i, fit in zip(members, squares.best(grid), strict=True):
            turned = (fit.weight, fit.bias) if shared is None else shared.back(fit.weight, fit.bias)
            full_weight = torch.zeros(classes, x.shape[1], dtype=torch.float64)
            full_bias = torch.full((classes,), NEVER, dtype=torch.float64)
            full_weight[present], full_bias[present] = turned
            fits[i] = replace(fit, weight=full_weight, bias=full_bias)
    return [fits[i] for i in range(len(kept))]


@final
class _LeastSquares:
    """Ridge regressions on p sets of samples, in rotated coordinates, where every strength is a division."""

    def __init__(
        self,
        x: Float[Tensor, "p n d"],
        y: Int[Tensor, "p n"],
        classes: int,
        samples: Float[Tensor, "p n"] | None,
    ) -> None:
        self.rotation = rotate(x, samples)
        self.z, self.eigenvalues, self.y = self.rotation.z, self.rotation.eigenvalues, y
        self.samples = torch.ones(y.shape, dtype=torch.float64) if samples is None else samples
        of_class = y[:, None] == torch.arange(classes)[:, None]
        self.target = 2 * of_class.double() - 1  # p k n
        self.share = self.samples / self.samples.sum(1, keepdim=True)
        self.mean = (self.target * self.share[:, None]).sum(2)
        self.moment = ((self.target - self.mean[..., None]) * self.samples[:, None]) @ self.z  # p k r
        # the only sample of its class has nothing to be judged by
        self.judged = self.samples * (of_class.sum(2) > 1).gather(1, y)

    def best(self, grid: Float[Tensor, " s"] | None) -> Iterator[LinearFit]:
        """The solution of each set at the strength of its lowest loss, for the classes that it has."""
        there = (self.eigenvalues > 0).sum(1)
        middle = torch.where(there > 0, self.eigenvalues.sum(1) / there.clamp_min(1), 1.0)
        strengths = middle[:, None] * RELATIVE_STRENGTHS if grid is None else grid.expand(len(middle), -1)
        losses, sharpness = self.judge(strengths)
        nothing = self.judged.sum(1) == 0
        losses[nothing], sharpness[nothing] = torch.nan, 1.0
        usual = (strengths.log() - middle.log()[:, None]).abs().argmin(1)
        chosen = torch.where(nothing, usual, losses.argmin(1))[:, None]
        strength, factor = strengths.gather(1, chosen), sharpness.gather(1, chosen)
        solved, bias = self.rotation.back(self.moment / (self.eigenvalues + strength)[:, None], self.mean)
        for i, beta in enumerate(factor[:, 0].tolist()):
            found = (float(strength[i]), strengths[i], losses[i], beta)
            yield LinearFit(beta * solved[i], beta * bias[i], *found)

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
        return scores

    def judge(self, strengths: Float[Tensor, "p s"]) -> tuple[Float[Tensor, "p s"], Float[Tensor, "p s"]]:
        """The left-out cross-entropy of each strength and the sharpness it takes."""
        at_once = max(1, 2**22 // self.target.numel())
        losses, sharpness = [], []
        for some in strengths.split(at_once, 1):
            times = some.shape[1]
            y, judged = (each.repeat_interleave(times, 0) for each in (self.y, self.judged))
            found = sharpened(self.left_out(some).flatten(0, 1).float(), y, judged)
            losses.append(found[0].view(-1, times))
            sharpness.append(found[1].view(-1, times))
        return torch.cat(losses, 1).double(), torch.cat(sharpness, 1).double()


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
