"""One point for each class."""

from typing import Any, ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import normalize, one_hot


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


def class_means(
    u: Float[Tensor, "n d"], y: Int[Tensor, " n"], k: int
) -> tuple[Float[Tensor, "k d"], Float[Tensor, " k"]]:
    """(the mean of each class's samples, how many they are); a class without any is at 0.

    >>> class_means(torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([0, 0, 1]), 2)[0].tolist()
    [[2.0], [5.0]]
    """
    member = one_hot(y, k).to(u.dtype)
    count = member.sum(0)
    return member.T @ u / count.clamp_min(1)[:, None], count


def left_out_squared(u: Float[Tensor, "n d"], y: Int[Tensor, " n"], k: int) -> Float[Tensor, "n k"]:
    """‖uᵢ − p_c‖², where uᵢ does not count in the mean p_c of its own class (unless it is alone there)."""
    means, count = class_means(u, y, k)
    squared = torch.cdist(u, means).pow(2)
    own = squared.gather(1, y[:, None])
    # the mean without i lies n/(n − 1) times as far from i as the mean with i
    others = count[y][:, None]
    away = torch.where(others > 1, own * (others / (others - 1).clamp_min(1)).pow(2), own)
    return squared.scatter(1, y[:, None], away)
