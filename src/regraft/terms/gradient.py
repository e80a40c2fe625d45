"""What is done to gradients."""

from typing import Any

import torch
from torch import Tensor


class _Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def reversed_gradient(x: Tensor, strength: float = 1.0) -> Tensor:
    """x, with a gradient of −strength times what it gets (Ganin et al. 2016, eq. 16 and 17).

    >>> x = torch.ones(2, requires_grad=True)
    >>> reversed_gradient(3 * x, 0.5).sum().backward()
    >>> x.grad.tolist()
    [-1.5, -1.5]
    """
    found: Tensor = _Reversed.apply(x, strength)
    return found
