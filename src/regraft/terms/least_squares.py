"""The game of generators and discriminators by least squares: real samples are to score 1, made ones 0."""

from jaxtyping import Float
from torch import Tensor


def told_apart(real: Float[Tensor, "n ..."], made: Float[Tensor, "m ..."]) -> Float[Tensor, ""]:
    """mean (D(x) − 1)² + mean D(G(z))²: what a discriminator minimises (Mao et al., ICCV 2017,
    arXiv:1611.04076, with a = 0 and b = 1).

    >>> import torch
    >>> told_apart(torch.tensor([[1.0], [0.0]]), torch.tensor([[0.0], [2.0]])).item()
    2.5
    """
    return (real - 1).square().mean() + made.square().mean()


def taken_for_real(made: Float[Tensor, "m ..."]) -> Float[Tensor, ""]:
    """mean (D(G(z)) − 1)²: what a generator minimises, of the same scores (c = 1).

    >>> import torch
    >>> taken_for_real(torch.tensor([[0.0], [3.0]])).item()
    2.5
    """
    return (made - 1).square().mean()
