"""Whether two samples have the same mean of many features."""

import math
from dataclasses import astuple, dataclass
from typing import final

import torch
from jaxtyping import Float
from scipy.special import chdtrc, ndtri
from torch import Tensor

RIDGE = 1e-3  # of the largest variance: directions below it count less and less
FARTHEST = 600.0  # −log p beyond which p is 0 in floating point


@final
@dataclass(frozen=True)
class Gap:
    """How far two means are apart: T², what it is by chance, and the normal score of its probability.

    excess: T² less what chance gives, not below 0. z: above 3 one in seven hundred pairs of equal means is.
    """

    statistic: float
    freedom: float
    z: float

    @property
    def excess(self) -> float:
        return max(self.statistic - self.freedom, 0.0)

    def between(self, other: "Gap") -> "Gap":
        """The mean of two gaps, of two halves of the samples."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Gap(*((a + b) / 2 for a, b in pairs))


def hotelling(
    source: Float[Tensor, "n r"], target: Float[Tensor, "m r"], weight: Float[Tensor, " n"] | None = None
) -> Gap:
    """T² = Σ_j (v_jᵀ δ)² / (λ_j + ρ λ_1),  δ = Σ wᵢ sᵢ − t̄,  Σ λ_j v_j v_jᵀ the covariance of δ

    With features of a kernel it asks whether the two distributions are equal, as MMD does, and weighs each
    direction by how well it is known. Under equal means T² is a sum of λ/(λ + ρ λ_1) χ², of which the first
    two moments are matched by a · χ²_v (Satterthwaite 1946). w are weights of the source, of sum 1 here.

    Harchaoui, Bach & Moulines, NIPS 2007, arXiv:0804.1026.

    >>> luck = torch.Generator().manual_seed(0)
    >>> a, b = torch.randn(300, 4, generator=luck), torch.randn(300, 4, generator=luck)
    >>> abs(hotelling(a, b).z) < 3, hotelling(a, b + 0.5).z > 5
    (True, True)
    """
    s, t = source.double(), target.double()
    w = torch.full((len(s),), 1 / len(s), dtype=torch.float64) if weight is None else weight / weight.sum()
    mean_s, mean_t = w.double() @ s, t.mean(0)
    a, b = (s - mean_s) * w.double()[:, None], (t - mean_t) / len(t)
    values, vectors = torch.linalg.eigh(a.T @ a + b.T @ b)
    values = values.clamp_min(0)
    damped = values + RIDGE * values[-1].clamp_min(1e-300)
    statistic = float(((mean_s - mean_t) @ vectors).square().div(damped).sum())
    share = values / damped
    first, second = float(share.sum()), float(share.square().sum())
    if first <= 0:  # all samples of both are alike
        return Gap(statistic, 0.0, 0.0 if statistic == 0 else FARTHEST**0.5)
    factor = second / first
    p = float(chdtrc(first / factor, statistic / factor))
    far = (statistic / factor) ** 0.5  # about z, where the probability is too small for a number
    z = -float(ndtri(p)) if p > math.exp(-FARTHEST) else far
    return Gap(statistic, first, z)


def permuted(source: Float[Tensor, "n r"], target: Float[Tensor, "m r"], seed: int, times: int = 200) -> Gap:
    """The same with the covariance of all samples together, and with its law from mixing the two samples.

    For many features and few samples the law of `hotelling` is only roughly right; this one is exact but for
    the number of permutations. z is how many of their standard deviations T² lies above their mean.

    >>> luck = torch.Generator().manual_seed(0)
    >>> a, b = torch.randn(60, 30, generator=luck), torch.randn(60, 30, generator=luck)
    >>> permuted(a, b, seed=0).z < 3 < permuted(a, b + 1, seed=0).z
    True
    """
    n, m = len(source), len(target)
    both = torch.cat([source, target]).double()
    both = both - both.mean(0)
    values, vectors = torch.linalg.eigh(both.T @ both / len(both))
    whitened = both @ (vectors / (values.clamp_min(0) + RIDGE * values[-1].clamp_min(1e-300)).sqrt())
    luck = torch.Generator().manual_seed(seed)
    sides = torch.cat([torch.full((n,), 1 / n), torch.full((m,), -1 / m)]).double()
    mixed = torch.stack([sides, *(sides[torch.randperm(n + m, generator=luck)] for _ in range(times))])
    squares = (mixed @ whitened).square().sum(1) / (1 / n + 1 / m)
    usual, spread = float(squares[1:].mean()), float(squares[1:].std())
    statistic = float(squares[0])
    return Gap(statistic, usual, (statistic - usual) / spread if spread > 0 else 0.0)
