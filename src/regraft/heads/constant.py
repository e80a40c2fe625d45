"""The head that looks at nothing."""

from collections.abc import Sequence
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..errors import InputError

MOST_SIDE = 1024


@final
class Constant(nn.Module):
    """The same scores for every sample.

    places: height and width of the map of scores, where every place of a picture has its own.

    >>> Constant(classes=2)(torch.ones(3, 5)).shape
    torch.Size([3, 2])
    >>> Constant(classes=2, places=(4, 6))(torch.ones(3, 5)).shape
    torch.Size([3, 2, 4, 6])
    """

    kind: ClassVar[str] = "constant"

    def __init__(
        self, classes: int, scores: Float[Tensor, "k ..."] | None = None, places: Sequence[int] = ()
    ) -> None:
        super().__init__()
        if not all(type(side) is int and 0 < side <= MOST_SIDE for side in places):
            raise InputError(f"a head of {places} places is none: save the model again")
        self.scores: Tensor
        self.register_buffer(
            "scores", torch.zeros(classes, *places, dtype=torch.float64) if scores is None else scores
        )

    def forward(self, z: Float[Tensor, "n ..."]) -> Float[Tensor, "n k ..."]:
        # not len(z), which a traced graph would take for a constant
        return self.scores.expand(z.shape[0], *self.scores.shape)

    def to_json(self) -> dict[str, Any]:
        classes, *places = self.scores.shape
        return {"kind": self.kind, "classes": classes, **({"places": places} if places else {})}
