"""What a solved linear head is, and what its solvers may be given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from ..errors import InputError

# the bias of a class nobody saw; the biases of the others sum to 0, so it is never the answer
NEVER = -30.0


@final
@dataclass(frozen=True, eq=False)
class LinearFit:
    """Scores x Wᵀ + b, the strength that was chosen, and what every strength cost in cross-validation.

    weight, bias: W and b in float64.
    losses: the cross-validated loss of each of `strengths`; NaN where it was not computed.
    sharpness: the factor on the least-squares scores in W and b (`fit_ridge`); 1 elsewhere.
    """

    weight: Float[Tensor, "k d"]
    bias: Float[Tensor, " k"]
    strength: float
    strengths: Float[Tensor, " s"]
    losses: Float[Tensor, " s"]
    sharpness: float = 1.0


@final
@dataclass(frozen=True, eq=False)
class ColumnsFit:
    """Scores x Wᵀ + b of k numbers or labels, and of each the chosen strength and its held-out loss."""

    weight: Float[Tensor, "k d"]
    bias: Float[Tensor, " k"]
    strength: Float[Tensor, " k"]
    loss: Float[Tensor, " k"]


def check_samples(
    x: Float[Tensor, "n d"], y: Int[Tensor, " n"], classes: int, weight: Float[Tensor, " n"] | None
) -> Float[Tensor, " n"]:
    """The samples' weights, after a look at the shapes and ranges."""
    weights = check_weight(x, y, weight)
    low, high = (int(bound) for bound in y.aminmax())
    if low < 0 or high >= classes:
        raise InputError(
            f"y has codes from {low} to {high}, and there are {classes} classes: codes start at 0"
        )
    return weights


def check_weight(
    x: Float[Tensor, "n d"], y: Shaped[Tensor, "n ..."], weight: Float[Tensor, " n"] | None
) -> Float[Tensor, " n"]:
    """The samples' weights, after a look at the shapes."""
    if x.ndim != 2 or len(x) == 0 or len(x) != len(y):
        raise InputError(
            f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}: "
            "give at least one row of x, and an answer for each"
        )
    if weight is None:
        return torch.ones(len(x), dtype=torch.float64, device=x.device)
    if len(weight) != len(x) or not (
        torch.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0
    ):
        raise InputError(
            f"weight must hold {len(x)} numbers, none negative and not all 0: it holds {len(weight)}, "
            f"from {float(weight.min()):g} to {float(weight.max()):g}"
        )
    return weight.double()


def check_strengths(strengths: Sequence[float]) -> Float[Tensor, " s"]:
    """The strengths as a tensor; they have to be positive numbers."""
    values = torch.as_tensor(strengths, dtype=torch.float64)
    if values.numel() == 0 or not (torch.isfinite(values) & (values > 0)).all():
        raise InputError(f"strengths are {list(strengths)}: give at least one, all positive and finite")
    return values
