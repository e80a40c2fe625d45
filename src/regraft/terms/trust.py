"""How much each of several sources should count, by how far it is from the target and how large it is."""

import torch
from jaxtyping import Float
from torch import Tensor


def source_weights(
    discrepancy: Float[Tensor, " s"], sizes: Float[Tensor, " s"], strength: float
) -> Float[Tensor, " s"]:
    """argmin_α Σ αᵢ dᵢ + λ √(Σ αᵢ²/mᵢ)  over α ≥ 0, Σ αᵢ = 1

    d: discrepancies to the target. m: sizes. λ: `strength`; 0 takes the nearest source alone, and a large one
    all of them in proportion to their sizes. Where the derivative is a multiplier ν, αᵢ ∝ mᵢ max(ν − dᵢ, 0);
    putting that back in gives Σ mᵢ max(ν − dᵢ, 0)² = λ², of which ν is the only root: a quadratic equation in
    the nearest sources, as many of them as lie below it.

    Konstantinov & Lampert, ICML 2019, arXiv:1901.10310.

    >>> d, m = torch.tensor([0.0, 0.1, 0.9]), torch.tensor([25.0, 100.0, 100.0])
    >>> [round(a, 2) for a in source_weights(d, m, 1.0).tolist()]
    [0.4, 0.6, 0.0]
    """
    d, m = discrepancy.double(), sizes.double()
    order = d.argsort(stable=True)
    near, size = d[order], m[order]
    # relative to the nearest, so that nothing cancels
    gap = near - near[0]
    total, first, second = size.cumsum(0), (size * gap).cumsum(0), (size * gap.square()).cumsum(0)
    root = (first + (first.square() - total * (second - strength**2)).clamp_min(0).sqrt()) / total
    beyond = torch.cat([gap[1:], gap.new_full((1,), torch.inf)])
    level = root[int((root <= beyond).nonzero()[0])]
    alpha = m * (level + near[0] - d).clamp_min(0)
    if not alpha.sum() > 0:
        alpha = m * (d == near[0])
    return alpha / alpha.sum()
