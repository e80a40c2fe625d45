"""Which labels cannot be ruled out, and how far that promise holds with few samples."""

import math

from jaxtyping import Float
from scipy.special import betaincinv
from torch import Tensor


def conformal_quantile(scores: Float[Tensor, " n"], alpha: float) -> float:
    """The ⌈(n + 1)(1 − α)⌉-th smallest score; infinite where n is too small for that (n < 1/α − 1).

    A new score of the same distribution is at most that with a probability of at least 1 − α, whatever the
    distribution. Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World, 2005.

    >>> import torch
    >>> conformal_quantile(torch.arange(1.0, 20.0), 0.1), conformal_quantile(torch.ones(5), 0.1)
    (18.0, inf)
    """
    rank = _rank(len(scores), alpha)
    return float(scores.sort().values[rank - 1]) if rank <= len(scores) else math.inf


def coverage_band(n: int, alpha: float) -> tuple[float, float]:
    """Where the coverage of such a quantile lies with 90 %, over the draws of its n scores.

    For scores without ties it is distributed as Beta(l, n + 1 − l) with l = ⌈(n + 1)(1 − α)⌉.
    Vovk, Conditional validity of inductive conformal predictors, 2012.

    >>> [f"{end:.2f}" for end in coverage_band(50, 0.1)]
    ['0.83', '0.96']
    """
    rank = _rank(n, alpha)
    if rank > n:
        return 1.0, 1.0
    low, high = betaincinv(rank, n + 1 - rank, (0.05, 0.95))
    return float(low), float(high)


def _rank(n: int, alpha: float) -> int:
    return math.ceil((n + 1) * (1 - alpha) - 1e-9)
