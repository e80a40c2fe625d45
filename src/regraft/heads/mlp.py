"""A head with one hidden layer."""

from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn


@final
class MLP(nn.Module):
    """W₂ dropout(relu(W₁ z + b₁)) + b₂, on features scaled by what the training samples show.

    >>> MLP(features=3, hidden=8, classes=2)(torch.ones(4, 3)).shape
    torch.Size([4, 2])
    """

    kind: ClassVar[str] = "mlp"

    def __init__(self, features: int, hidden: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.centre: Tensor
        self.scale: Tensor
        self.register_buffer("centre", torch.zeros(features))
        self.register_buffer("scale", torch.ones(()))
        self.layers = nn.Sequential(
            nn.Linear(features, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, classes)
        )
        self.dropout = dropout

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        scores: Tensor = self.layers((z.float() - self.centre) / self.scale)
        return scores

    def to_json(self) -> dict[str, Any]:
        first, last = self.layers[0], self.layers[-1]
        assert isinstance(first, nn.Linear)
        assert isinstance(last, nn.Linear)
        return {
            "kind": self.kind,
            "features": first.in_features,
            "hidden": first.out_features,
            "classes": last.out_features,
            "dropout": self.dropout,
        }
