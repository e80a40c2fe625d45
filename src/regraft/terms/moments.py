"""How far apart several samples are by their moments."""

from collections.abc import Sequence
from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor

from .discrepancy import covariance


def moment_distance(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"], moments: int = 2) -> Float[Tensor, ""]:
    """Σ_{k=1}^{moments} ‖mean(aᵏ) − mean(bᵏ)‖₂, powers taken number by number.

    Peng et al. 2019, arXiv:1812.01754, eq. 1, of one pair.

    >>> moment_distance(torch.tensor([[0.0, 1.0]]), torch.tensor([[3.0, 5.0]]), 1).item()
    5.0
    """
    apart = [(a.pow(k).mean(0) - b.pow(k).mean(0)).norm() for k in range(1, moments + 1)]
    return torch.stack(apart).sum()


def coral_distance(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, ""]:
    """‖ā − b̄‖²/d + ‖cov(a) − cov(b)‖²_F/d², as DomainBed has it.

    >>> a, b = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [5.0]])
    >>> coral_distance(a, b).item()  # (1 − 3)² + (2 − 8)²
    40.0
    """
    return (a.mean(0) - b.mean(0)).square().mean() + (covariance(a) - covariance(b)).square().mean()


def parts_of(z: Float[Tensor, "n d"], origin: Tensor, least: int = 1) -> list[Tensor]:
    """The rows of every origin, in order, of those that have at least so many.

    >>> [len(part) for part in parts_of(torch.zeros(4, 1), torch.tensor([2, 0, 2, 0]))]
    [2, 2]
    """
    parts = [z[origin == one] for one in origin.unique()]
    return [part for part in parts if len(part) >= least]


def pairs_of(parts: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """All pairs, each once."""
    return list(combinations(parts, 2))
