"""How far a network has gone from where it started."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor


def squared_norm(parameters: Iterable[Tensor], start: Iterable[Tensor] | None = None) -> Float[Tensor, ""]:
    """‖η − η⁰‖² over all numbers of both, in the order given; ‖η‖² without a start.

    >>> squared_norm([torch.ones(2), torch.zeros(1)], [torch.zeros(2), torch.full((1,), 2.0)]).item()
    6.0
    """
    now = list(parameters)
    origin = [torch.zeros(()) for _ in now] if start is None else list(start)
    apart = [(a - b.to(a.device)).pow(2).sum() for a, b in zip(now, origin, strict=True)]
    return torch.stack(apart).sum() if apart else torch.zeros(())
