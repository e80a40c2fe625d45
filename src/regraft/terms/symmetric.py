"""Powers of symmetric matrices."""

import torch
from jaxtyping import Float
from torch import Tensor


def power(symmetric: Float[Tensor, "d d"], exponent: float, least: float = 1e-12) -> Float[Tensor, "d d"]:
    """V Λ^p Vᵀ of a positive semidefinite V Λ Vᵀ, without directions whose λ is below `least` of the largest.

    >>> power(torch.diag(torch.tensor([4.0, 9.0])), 0.5).diag().tolist()
    [2.0, 3.0]
    """
    values, vectors = torch.linalg.eigh(symmetric)
    kept = values > least * values[-1].clamp_min(1e-300)
    scaled = vectors * torch.where(kept, values.clamp_min(1e-300).pow(exponent), 0.0)
    found: Tensor = scaled @ vectors.T
    return found
