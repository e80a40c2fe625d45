"""Least squares on ±1 targets; leaving each sample out in turn is exact and costs one decomposition."""

from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .logistic import NEVER, LinearFit, check_samples, check_strengths
from .rotation import Rotation, rotate

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
    samples = check_samples(x, y, classes, weight)
    rotation = rotate(x, weight)
    middle = float(rotation.eigenvalues.mean()) if len(rotation.eigenvalues) else 1.0
    values = check_strengths((middle * RELATIVE_STRENGTHS).tolist() if strengths is None else strengths)
    present, y, count = y.unique(return_inverse=True, return_counts=True)
    of_class = y == torch.arange(len(present), device=y.device)[:, None]
    target = 2 * of_class.double() - 1  # k n
    squares = _LeastSquares(rotation, target, samples)
    judged = samples * (count[y] > 1)
    if judged.sum() > 0:
        losses, sharpness = squares.judge(values.to(x.device), y, judged)
        best = int(losses.argmin())
        factor = float(sharpness[best])
    else:
        losses, factor = torch.full_like(values, torch.nan), 1.0
        best = int((values.log() - torch.tensor(middle).log()).abs().argmin())
    full_weight = x.new_zeros(classes, x.shape[1], dtype=torch.float64)
    full_bias = x.new_full((classes,), NEVER, dtype=torch.float64)
    turned, bias = rotation.back(*squares.solution(float(values[best])))
    full_weight[present], full_bias[present] = factor * turned, factor * bias
    return LinearFit(full_weight, full_bias, float(values[best]), values, losses.cpu(), factor)


@final
class _LeastSquares:
    """Ridge regression in rotated coordinates, where every strength is a division."""

    def __init__(
        self, rotation: Rotation, target: Float[Tensor, "k n"], samples: Float[Tensor, " n"]
    ) -> None:
        self.z, self.eigenvalues, self.target, self.samples = (
            rotation.z,
            rotation.eigenvalues,
            target,
            samples,
        )
        self.share = samples / samples.sum()
        self.mean = target @ self.share
        self.moment = ((target - self.mean[:, None]) * samples) @ self.z  # k r

    def solution(self, strength: float) -> tuple[Float[Tensor, "k r"], Float[Tensor, " k"]]:
        """W and b."""
        return self.moment / (self.eigenvalues + strength), self.mean

    def left_out(self, strengths: Float[Tensor, " s"]) -> Float[Tensor, "s k n"]:
        """The scores that each sample gets from the others."""
        # 1 − h and t − Ht start from their limits at α = 0, because they cancel where α is small
        ratio = strengths[:, None] / (self.eigenvalues * (self.eigenvalues + strengths[:, None]))  # s r
        shares = torch.cat([(1 / self.eigenvalues)[None], ratio]) @ self.z.square().T * self.samples
        rest = (1 - self.share - shares[0]).clamp_min(0) + shares[1:]  # s n
        weights = torch.cat([(self.moment / self.eigenvalues)[None], -ratio[:, None] * self.moment])
        fitted = (weights.flatten(0, 1) @ self.z.T).view(-1, *self.target.shape)
        residual = self.target - self.mean[:, None] - fitted[0] - fitted[1:]
        return self.target - residual / rest.clamp_min(1e-12)[:, None]

    def judge(
        self, strengths: Float[Tensor, " s"], y: Int[Tensor, " n"], judged: Float[Tensor, " n"]
    ) -> tuple[Float[Tensor, " s"], Float[Tensor, " s"]]:
        """The left-out cross-entropy of each strength and the sharpness it takes."""
        at_once = max(1, 2**22 // self.target.numel())
        parts = [sharpened(self.left_out(some), y, judged) for some in strengths.split(at_once)]
        losses, sharpness = (torch.cat(part) for part in zip(*parts, strict=True))
        return losses, sharpness


def sharpened(
    scores: Float[Tensor, "s k n"], y: Int[Tensor, " n"], weight: Float[Tensor, " n"]
) -> tuple[Float[Tensor, " s"], Float[Tensor, " s"]]:
    """min_β Σ wᵢ ℓ(β scoresᵢ, yᵢ) / Σ wᵢ and the β, for each set of scores; ℓ is the cross-entropy.

    >>> scores = torch.tensor([[[1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]])
    >>> loss, sharpness = sharpened(scores, torch.zeros(4, dtype=torch.long), torch.ones(4))
    >>> sharpness.exp()  # right three times as often as wrong
    tensor([3.0000])
    """
    share = (weight / weight.sum()).to(scores.dtype)
    right = scores.gather(1, y.expand(len(scores), 1, -1))[:, 0]
    beta = torch.ones_like(scores[:, 0, 0])
    for _ in range(12):
        p = torch.softmax(beta[:, None, None] * scores, 1)
        mean = (p * scores).sum(1)
        slope = (mean - right) @ share
        curvature = ((p * scores.square()).sum(1) - mean.square()) @ share
        # steps in log β, which the convex loss allows to be long
        step = (slope / (beta * curvature).clamp_min(1e-12)).clamp(-1, 1)
        beta = (beta * torch.exp(-step)).clamp(1 / SHARPEST, SHARPEST)
        if step.abs().max() < 1e-6:
            break
    logits = beta[:, None, None] * scores
    return (torch.logsumexp(logits, 1) - beta[:, None] * right) @ share, beta
