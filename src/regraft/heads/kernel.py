"""A linear head on similarities to chosen points."""

from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn


@final
class Kernel(nn.Module):
    """Σ_j W_cj exp(−γ ‖z − p_j‖²) + b_c: bumps around so many points p_j.

    >>> Kernel(samples=6, features=3, classes=2)(torch.ones(4, 3)).shape
    torch.Size([4, 2])
    """

    kind: ClassVar[str] = "kernel"

    points: Tensor
    gamma: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, samples: int, features: int, classes: int) -> None:
        super().__init__()
        sizes = {"points": (samples, features), "gamma": (), "weight": (classes, samples), "bias": (classes,)}
        for name, size in sizes.items():
            self.register_buffer(name, torch.zeros(size, dtype=torch.float64))

    @classmethod
    def of(
        cls,
        points: Float[Tensor, "m d"],
        gamma: Float[Tensor, ""],
        weight: Float[Tensor, "k m"],
        bias: Float[Tensor, " k"],
    ) -> "Kernel":
        """The head with these numbers."""
        head = cls(len(points), points.shape[1], len(weight))
        for name, value in (("points", points), ("gamma", gamma), ("weight", weight), ("bias", bias)):
            getattr(head, name).copy_(value)
        return head

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        return torch.addmm(self.bias, similarity(z.double(), self.points, self.gamma), self.weight.T)

    def to_json(self) -> dict[str, Any]:
        samples, features = self.points.shape
        return {"kind": self.kind, "samples": samples, "features": features, "classes": len(self.weight)}


def similarity(
    a: Float[Tensor, "n d"], b: Float[Tensor, "m d"], gamma: Float[Tensor, ""]
) -> Float[Tensor, "n m"]:
    """exp(−γ ‖aᵢ − b_j‖²).

    >>> similarity(torch.zeros(1, 2), torch.tensor([[0.0, 0.0], [0.0, 1.0]]), torch.tensor(1.0))
    tensor([[1.0000, 0.3679]])
    """
    return torch.exp(-gamma * squared_distances(a, b))


def squared_distances(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """‖aᵢ − b_j‖², never below 0."""
    squares = a.square().sum(1)[:, None] + b.square().sum(1)
    return torch.addmm(squares, a, b.T, alpha=-2).clamp_min(0)


def usual_gamma(z: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """1 / (d · the mean variance of a column): scikit-learn's "scale"."""
    spread = z.double().var(0, correction=0).sum()
    return 1 / torch.where(spread > 0, spread, torch.ones_like(spread))
