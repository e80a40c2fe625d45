"""The head that looks at nothing."""

from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn


@final
class Constant(nn.Module):
    """The same scores for every sample.

    >>> head = Constant(classes=2)
    >>> head(torch.ones(3, 5)).shape
    torch.Size([3, 2])
    """

    kind: ClassVar[str] = "constant"

    def __init__(self, classes: int, scores: Float[Tensor, " k"] | None = None) -> None:
        super().__init__()
        self.scores: Tensor
        self.register_buffer(
            "scores", torch.zeros(classes, dtype=torch.float64) if scores is None else scores
        )

    def forward(self, z: Float[Tensor, "n ..."]) -> Float[Tensor, "n k"]:
        return self.scores.expand(
            z.shape[0], -1
        )  # not len(z), which a traced graph would take for a constant

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "classes": len(self.scores)}
