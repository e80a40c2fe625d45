"""Whether two samples have the same mean of many features."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from scipy.stats import chi2, norm
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
    log_p = float(chi2.logsf(statistic / factor, first / factor))
    z = float(norm.isf(torch.tensor(log_p).exp().item())) if log_p > -FARTHEST else (-2 * log_p) ** 0.5
    return Gap(statistic, first, z)
