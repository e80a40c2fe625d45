"""One point for each class."""

from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize


@final
class Prototypes(nn.Module):
    """−τ ‖u − p_c‖² with u = (z − centre) / ‖z − centre‖: the nearest of the class points p_c wins.

    >>> Prototypes(features=3, classes=2)(torch.ones(4, 3)).shape
    torch.Size([4, 2])
    """

    kind: ClassVar[str] = "prototypes"

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.centre: Tensor
        self.points: Tensor
        self.sharpness: Tensor
        self.offset: Tensor
        self.register_buffer("centre", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("points", torch.zeros(classes, features, dtype=torch.float64))
        self.register_buffer("sharpness", torch.ones((), dtype=torch.float64))
        # added to a class's score: 0, or very low where the training samples show none of it
        self.register_buffer("offset", torch.zeros(classes, dtype=torch.float64))

    def directions(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """The centred features on the unit sphere."""
        return normalize(z.double() - self.centre, dim=1)

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        u, p = self.directions(z), self.points
        squared = u.pow(2).sum(1, keepdim=True) - 2 * u @ p.T + p.pow(2).sum(1)
        return self.offset - self.sharpness * squared

    def to_json(self) -> dict[str, Any]:
        classes, features = self.points.shape
        return {"kind": self.kind, "features": features, "classes": classes}
