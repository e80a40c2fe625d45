"""The training samples themselves."""

from typing import Any, ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import normalize

AT_ONCE = 1 << 22  # similarities in memory: 16 MiB
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
        closest = largest(self.directions(z) @ self.points.T, self.nearest)
        return votes(closest, self.labels, self.classes)

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


def largest(similarity: Float[Tensor, "n m"], number: int) -> Int[Tensor, "n k"]:
    """The columns of so many of the largest of each row, or of all, the largest first."""
    columns: Tensor = similarity.topk(min(number, similarity.shape[1]), dim=1).indices
    return columns


def most_similar(
    z: Float[Tensor, "n d"],
    points: Float[Tensor, "m d"],
    number: int,
    group: Int[Tensor, " m"] | None = None,
) -> Int[Tensor, "n k"]:
    """The rows of so many points (or of all) that have the largest products with each z, the largest first.

    group: where z are the points themselves, the group of each, whose members do not count. However many
    points there are, only some of the products are in memory at a time.

    >>> points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    >>> most_similar(points, points, 1, torch.arange(3)).flatten().tolist()
    [2, 2, 1]
    """
    found = []
    for rows in torch.arange(len(z)).split(max(1, AT_ONCE // len(points))):
        similarity = z[rows] @ points.T
        if group is not None:
            similarity[group[rows, None] == group] = -torch.inf
        found.append(largest(similarity, number))
    return torch.cat(found)


def votes(closest: Int[Tensor, "n m"], labels: Tensor, classes: int) -> Float[Tensor, "n k"]:
    """log of the smoothed share of each class among the m samples in these rows."""
    votes = torch.ones(closest.shape, dtype=torch.float64) / closest.shape[1]
    share = torch.zeros(closest.shape[0], classes, dtype=torch.float64).scatter_add(1, labels[closest], votes)
    return ((share + UNSEEN) / (1 + classes * UNSEEN)).log()
