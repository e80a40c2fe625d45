"""The head that knows where a place lies, and nothing of the picture."""

from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn


@final
class Places(nn.Module):
    """The same map of scores for every sample.

    >>> Places(classes=2, height=3, width=4)(torch.ones(5, 7)).shape
    torch.Size([5, 2, 3, 4])
    """

    kind: ClassVar[str] = "places"

    def __init__(
        self, classes: int, height: int, width: int, scores: Float[Tensor, "k h w"] | None = None
    ) -> None:
        super().__init__()
        self.scores: Tensor
        self.register_buffer("scores", torch.zeros(classes, height, width) if scores is None else scores)

    def forward(self, z: Float[Tensor, "n ..."]) -> Float[Tensor, "n k h w"]:
        return self.scores.expand(z.shape[0], -1, -1, -1)

    def to_json(self) -> dict[str, Any]:
        classes, height, width = self.scores.shape
        return {"kind": self.kind, "classes": classes, "height": height, "width": width}
