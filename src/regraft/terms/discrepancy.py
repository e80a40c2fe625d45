"""How far apart two samples are, as plain functions of their features."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

BLOCK = 1024  # rows of a kernel matrix in memory at a time
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # in units of one over the median squared distance
COMPARED = 1000  # samples of each side that the median is taken of: it is a rough measure anyway


def covariance(z: Float[Tensor, "n d"]) -> Float[Tensor, "d d"]:
    """Σ (zᵢ − z̄)(zᵢ − z̄)ᵀ / (n − 1).

    >>> import torch
    >>> covariance(torch.tensor([[0.0], [2.0]])).item()
    2.0
    """
    u = z - z.mean(0)
    return u.T @ u / max(len(z) - 1, 1)


def mmd2(
    s: Float[Tensor, "n d"],
    t: Float[Tensor, "m d"],
    gammas: Sequence[float] | None = None,
    unbiased: bool = True,
) -> Float[Tensor, ""]:
    """mean k(s, s') + mean k(t, t') − 2 mean k(s, t),  k(a, b) the mean over γ of exp(−γ ‖a − b‖²)

    The squared distance of the two mean embeddings (Gretton et al., JMLR 2012, lemma 6). unbiased: a sample
    is not compared with itself, so that two samples of one distribution give 0 on average, and sometimes less
    than 0; otherwise it is, and the value is never below 0. gammas: `median_gammas` without them. Kernels are
    summed in blocks of rows, so memory grows with n + m.

    >>> import torch
    >>> s, t = torch.tensor([[0.0], [0.0]]), torch.tensor([[9.0], [9.0]])
    >>> mmd2(s, t, gammas=[1.0]).item(), mmd2(s, s, gammas=[1.0], unbiased=False).item()
    (2.0, 0.0)
    """
    widths = median_gammas(s, t) if gammas is None else gammas
    n, m, one = len(s), len(t), 1 if unbiased else 0  # k(a, a) = 1
    within_s = (_kernel_sum(s, s, widths) - one * n) / (n * (n - one))
    within_t = (_kernel_sum(t, t, widths) - one * m) / (m * (m - one))
    return within_s + within_t - 2 * _kernel_sum(s, t, widths) / (n * m)


def median_gammas(s: Float[Tensor, "n d"], t: Float[Tensor, "m d"]) -> list[float]:
    """Five widths around γ = 1 / median ‖a − b‖² over pairs of all samples, of 1,000 of each side at most.

    >>> median_gammas(torch.tensor([[0.0]]), torch.tensor([[2.0]]))
    [0.0625, 0.125, 0.25, 0.5, 1.0]
    """
    some = [z[:: -(-len(z) // COMPARED)].detach().double() for z in (s, t)]
    squares = torch.pdist(torch.cat(some)).square()
    median = float(squares.median()) or float(squares.mean()) or 1.0
    return [width / median for width in WIDTHS]


def kernel(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"], gammas: Sequence[float]) -> Float[Tensor, "n m"]:
    """The mean over γ of exp(−γ ‖a − b‖²), for every pair."""
    squares = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").square()
    return torch.stack([(-gamma * squares).exp() for gamma in gammas]).mean(0)


def _kernel_sum(
    a: Float[Tensor, "n d"], b: Float[Tensor, "m d"], gammas: Sequence[float]
) -> Float[Tensor, ""]:
    return torch.stack([kernel(rows, b, gammas).sum() for rows in a.split(BLOCK)]).sum()


def coral(s: Float[Tensor, "n d"], t: Float[Tensor, "m d"]) -> Float[Tensor, ""]:
    """‖C_s − C_t‖²_F / 4d² (Sun & Saenko 2016, eq. 1).

    >>> import torch
    >>> coral(torch.tensor([[0.0], [2.0]]), torch.tensor([[0.0], [4.0]])).item() == (2 - 8) ** 2 / 4
    True
    """
    return (covariance(s) - covariance(t)).square().sum() / (4 * s.shape[1] ** 2)


def disagreement(one: Float[Tensor, "n k"], other: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """mean |p − p'| over samples and classes, of two heads' scores (Saito et al. 2018, eq. 1).

    >>> import torch
    >>> disagreement(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]])).item()
    1.0
    """
    return (one.softmax(1) - other.softmax(1)).abs().mean()
