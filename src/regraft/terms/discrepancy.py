"""How far apart two samples are, as plain functions of their features."""

from jaxtyping import Float
from torch import Tensor


def covariance(z: Float[Tensor, "n d"]) -> Float[Tensor, "d d"]:
    """Σ (zᵢ − z̄)(zᵢ − z̄)ᵀ / (n − 1).

    >>> import torch
    >>> covariance(torch.tensor([[0.0], [2.0]])).item()
    2.0
    """
    u = z - z.mean(0)
    return u.T @ u / max(len(z) - 1, 1)
