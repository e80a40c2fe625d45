"""The training samples themselves."""

from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

UNSEEN = 1e-3  # what a class without a vote gets, so that its probability is small and not zero


@final
class Neighbours(nn.Module):
    """log of the share of votes among the `nearest` training samples by cosine similarity.

    >>> head = Neighbours(samples=4, features=3, classes=2, nearest=1)
    >>> head(torch.ones(5, 3)).shape
    torch.Size([5, 2])
    """

    kind: ClassVar[str] = "neighbours"

    def __init__(self, samples: int, features: int, classes: int, nearest: int) -> None:
        super().__init__()
        self.centre: Tensor
        self.points: Tensor
        self.labels: Tensor
        self.register_buffer("centre", torch.zeros(features))
        self.register_buffer("points", torch.zeros(samples, features))
        self.register_buffer("labels", torch.zeros(samples, dtype=torch.long))
        self.classes = classes
        self.nearest = nearest

    def directions(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """The centred features on the unit sphere."""
        return on_sphere(z, self.centre)

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        return votes(self.directions(z) @ self.points.T, self.labels, self.classes, self.nearest)

    def to_json(self) -> dict[str, Any]:
        samples, features = self.points.shape
        return {
            "kind": self.kind,
            "samples": samples,
            "features": features,
            "classes": self.classes,
            "nearest": self.nearest,
        }


def on_sphere(z: Float[Tensor, "n d"], centre: Float[Tensor, " d"]) -> Float[Tensor, "n d"]:
    """The direction in which each feature lies from the centre."""
    return normalize(z.float() - centre, dim=1)


def votes(
    similarity: Float[Tensor, "n m"], labels: Tensor, classes: int, nearest: int
) -> Float[Tensor, "n k"]:
    """log of the smoothed share of each class among the `nearest` most similar of m samples."""
    closest = similarity.topk(min(nearest, similarity.shape[1]), dim=1).indices
    votes = torch.ones(closest.shape, dtype=torch.float64) / closest.shape[1]
    share = torch.zeros(closest.shape[0], classes, dtype=torch.float64).scatter_add(1, labels[closest], votes)
    return ((share + UNSEEN) / (1 + classes * UNSEEN)).log()
