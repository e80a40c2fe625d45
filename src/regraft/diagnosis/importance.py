"""Density ratios by least squares, in closed form."""

import torch
from jaxtyping import Float
from torch import Tensor

from ..heads.kernel import similarity
from ..seeds import seed_of
from .bumps import median_distance

CENTRES = 100
WIDTHS = (0.25, 1.0, 4.0)  # of the squared kernel width, over the median squared distance in the target
RIDGES = (1e-3, 1e-2, 0.1, 1.0)
FOLDS = 3


def least_squares_ratio(
    source: Float[Tensor, "n d"],
    target: Float[Tensor, "m d"],
    seed: int,
    at: Float[Tensor, "r d"] | None = None,
) -> Float[Tensor, " r"]:
    """w(x) = Σ_l α_l k(x, c_l),  α = max(0, (H + ρI)⁻¹ h),  H = mean_s k kᵀ,  h = mean_t k

    It minimises ½ mean_s w² − mean_t w, whose optimum is p_target / p_source; width and ρ are chosen by
    cross-validation of that. The centres c are samples of the target. at: where w is asked; at the source,
    where nothing else is said.

    Kanamori, Hido & Sugiyama, JMLR 2009 (uLSIF).

    >>> x = torch.linspace(-1, 1, 60)[:, None].double()
    >>> w = least_squares_ratio(x, x[45:], seed=0)
    >>> bool(w[55] > 5 * w[10])
    True
    """
    luck = torch.Generator().manual_seed(seed_of(seed, "centres"))
    centres = target[torch.randperm(len(target), generator=luck)[:CENTRES]]
    usual = median_distance(target, luck)
    folds = [torch.arange(len(z)) % FOLDS for z in (source, target)]
    best: tuple[float, Tensor] | None = None
    for width in WIDTHS:
        k_s, k_t = (similarity(z, centres, torch.tensor(1 / (width * usual))) for z in (source, target))
        for ridge in RIDGES:
            cost = 0.0
            for fold in range(FOLDS):
                inside = [f != fold for f in folds]
                alpha = _solved(k_s[inside[0]], k_t[inside[1]], ridge)
                w_s, w_t = (k[~kept] @ alpha for k, kept in zip((k_s, k_t), inside, strict=True))
                cost += float(0.5 * w_s.square().mean() - w_t.mean())
            if best is None or cost < best[0]:
                asked = k_s if at is None else similarity(at, centres, torch.tensor(1 / (width * usual)))
                best = cost, asked @ _solved(k_s, k_t, ridge)
    assert best is not None
    return best[1] + 1e-6


def _solved(k_s: Float[Tensor, "n p"], k_t: Float[Tensor, "m p"], ridge: float) -> Float[Tensor, " p"]:
    gram = k_s.T @ k_s / len(k_s) + ridge * torch.eye(k_s.shape[1], dtype=k_s.dtype)
    alpha: Tensor = torch.linalg.solve(gram, k_t.mean(0))
    return alpha.clamp_min(0)
