"""Whether features vary, and say different things."""

from jaxtyping import Float
from torch import Tensor


def too_steady(z: Float[Tensor, "n d"], epsilon: float = 1e-4) -> Float[Tensor, ""]:
    """v(Z) = (1/d) Σ_j max(0, 1 − √(Var z_j + ε)),  the variance that of a sample (n − 1)

    Bardes et al., ICLR 2022, arXiv:2105.04906, eq. 1 and 2.

    >>> import torch
    >>> round(too_steady(torch.tensor([[1.0, 0.0], [-1.0, 0.0]])).item(), 4)
    0.495
    """
    return (1 - (z.var(0) + epsilon).sqrt()).clamp_min(0).mean()


def entangled(z: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """c(Z) = (1/d) Σ_{j≠k} Cov(Z)²_jk

    Bardes et al., ICLR 2022, arXiv:2105.04906, eq. 3 and 4.

    >>> import torch
    >>> entangled(torch.tensor([[1.0, 1.0], [-1.0, -1.0]])).item()
    4.0
    """
    z = z - z.mean(0)
    squares = (z.T @ z / (len(z) - 1)).square()
    return (squares.sum() - squares.diagonal().sum()) / z.shape[1]
