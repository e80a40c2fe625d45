"""One centre and one scale for all features."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


def scaled(z: Any) -> tuple[Float[Tensor, "n d"], Float[Tensor, " d"], Float[Tensor, ""]]:
    """u = (z − z̄) / s in float64, with z̄ and s, the root mean square of z − z̄ over rows and columns.

    >>> u, centre, scale = scaled(torch.tensor([[0.0, 3.0], [2.0, 1.0]]))
    >>> u.tolist(), centre.tolist(), scale.item()
    ([[-1.0, 1.0], [1.0, -1.0]], [1.0, 2.0], 1.0)
    """
    z = z.double()
    centre = z.mean(0)
    u = z - centre
    scale = u.pow(2).mean().sqrt()
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return u / scale, centre, scale


def in_units(z: Any) -> tuple[Float[Tensor, "n d"], Float[Tensor, ""]]:
    """z / s in float64, with the same s, for what centres by itself: so zeros stay zeros.

    >>> u, scale = in_units(torch.tensor([[0.0, 3.0], [2.0, 1.0]]))
    >>> u.tolist(), scale.item()
    ([[0.0, 3.0], [2.0, 1.0]], 1.0)
    """
    z = z.double()
    scale = z.var(0, correction=0).mean().sqrt()
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return z / scale, scale
