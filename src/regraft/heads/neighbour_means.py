"""What the nearest training samples are told to be, averaged."""

from typing import Any, ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .neighbours import largest, on_sphere

UNSEEN = 0.5  # samples that have a label, and that have not, besides those that are near


@final
class NeighbourMeans(nn.Module):
    """Σ y / number over the `nearest` training samples by cosine similarity, of those whose y is known.

    odds: y is 0 or 1, and what comes out is log((Σ y + ½) / (Σ (1 − y) + ½)). Where nothing near is known
    it is `usual`.

    >>> head = NeighbourMeans(samples=4, features=3, classes=2, nearest=1)
    >>> head(torch.ones(5, 3)).shape
    torch.Size([5, 2])
    """

    kind: ClassVar[str] = "neighbour means"

    values: Tensor
    known: Tensor
    usual: Tensor
    centre: Tensor
    points: Tensor

    def __init__(self, samples: int, features: int, classes: int, nearest: int, odds: bool = False) -> None:
        super().__init__()
        sizes = {"values": (samples, classes), "known": (samples, classes), "usual": (classes,)}
        for name, size in sizes.items():
            self.register_buffer(name, torch.ones(size, dtype=torch.float64))
        for name, size in {"centre": (features,), "points": (samples, features)}.items():
            self.register_buffer(name, torch.zeros(size))
        self.nearest = nearest
        self.odds = odds

    def directions(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        return on_sphere(z, self.centre)

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        return self.means(largest(self.directions(z) @ self.points.T, self.nearest))

    def means(self, closest: Int[Tensor, "n m"]) -> Float[Tensor, "n k"]:
        """Of the training samples in these rows."""
        total, count = self.values[closest].sum(1), self.known[closest].sum(1)
        if self.odds:
            told = ((total + UNSEEN) / (count - total + UNSEEN)).log()
        else:
            told = total / count.clamp_min(1)
        return torch.where(count > 0, told, self.usual)

    def to_json(self) -> dict[str, Any]:
        samples, features = self.points.shape
        return {
            "kind": self.kind,
            "samples": samples,
            "features": features,
            "classes": self.values.shape[1],
            "nearest": self.nearest,
            "odds": self.odds,
        }
