"""Proportions of a mixture whose parts are known."""

import torch
from jaxtyping import Float
from scipy.optimize import nnls
from torch import Tensor

EXACT = 1e3  # beside the rows of a least squares problem, the weight of one that has to hold
FLAT = 1e-9  # of the mean curvature, where parts are alike and only their sum is told


def mixture_proportions(
    log_density: Float[Tensor, "m k"],
    added: Float[Tensor, " k"] | None = None,
    *,
    tolerance: float = 1e-6,
    steps: int = 100,
) -> Float[Tensor, " k"]:
    """argmax over π ≥ 0, Σ π = 1 of Σ_t log Σ_c π_c f_c(x_t) + Σ_c added_c log π_c

    What EM goes to (Dempster, Laird & Rubin 1977), in some ten steps of Newton's method under constraints:
    with r_t = f(x_t) / Σ_c π_c f_c(x_t) a step goes towards the p ≥ 0, Σ p = 1 of least Σ_t (r_tᵀ p − 2)². It
    ends when no part could grow: at the maximum the mean of r_tc is 1 for every part that is there and at
    most 1 for the others, and below 1 + `tolerance` the mean log likelihood is within that of its maximum.
    `added` samples that are of one part for certain keep it above 0.

    Kim, Carbonetto, Stephens & Anitescu, JCGS 2020, arXiv:1806.01412.

    >>> certain = torch.tensor([[0.0, -torch.inf], [0.0, -torch.inf], [-torch.inf, 0.0], [0.0, -torch.inf]])
    >>> mixture_proportions(certain).round(decimals=6).tolist()
    [0.75, 0.25]
    """
    m, k = log_density.shape
    log_density = log_density.double()
    density = (log_density - log_density.amax(1, keepdim=True)).exp()
    weight = torch.ones(m).double()
    if added is not None:
        density = torch.cat([density, torch.eye(k).double()[added > 0]])
        weight = torch.cat([weight, added.double()[added > 0]])
    share = weight / weight.sum()

    def value(pi: Tensor) -> Tensor:
        return torch.dot(share, (density @ pi).log())

    pi = torch.full((k,), 1 / k).double()
    for _ in range(steps):
        r = density / (density @ pi)[:, None]
        growth = r.T @ share
        if growth.max() <= 1 + tolerance:
            break
        curvature = (r * share[:, None]).T @ r
        flat = FLAT * curvature.trace() / k
        towards = _newton(curvature + flat * torch.eye(k).double(), 2 * growth + flat * pi) - pi
        length, now, slope = 1.0, value(pi), torch.dot(growth, towards)
        while value(pi + length * towards) < now + 0.01 * length * slope and length > 1e-10:
            length /= 2
        pi = (pi + length * towards).clamp_min(0)
        pi = pi / pi.sum()
    return pi


def _newton(curvature: Float[Tensor, "k k"], linear: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    """argmin over p ≥ 0, Σ p = 1 of ½ pᵀ H p − bᵀ p."""
    lower = torch.linalg.cholesky(curvature)
    goal = torch.linalg.solve_triangular(lower, linear[:, None], upper=False)[:, 0]
    exact = EXACT * lower.diagonal().max()
    rows = torch.cat([lower.T, exact.expand(1, len(linear))])
    found = torch.from_numpy(nnls(rows.numpy(), torch.cat([goal, exact[None]]).numpy())[0])
    return found / found.sum()
