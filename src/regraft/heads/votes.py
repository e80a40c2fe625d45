"""Linear classifiers that vote."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .linear import Linear


@final
class Votes(nn.Module):
    """log(Σₜ vₜ [c = argmax(Wₜ z + bₜ)] + 1/(2T)): the share of the T votes that each class gets.

    The shares v of the votes add up to 1; half of a vote more for every class keeps what nobody votes for
    possible.

    >>> Votes(features=3, classes=2, votes=5)(torch.ones(4, 3)).shape
    torch.Size([4, 2])
    """

    kind: ClassVar[str] = "votes"

    weight: Tensor
    bias: Tensor
    share: Tensor

    def __init__(self, features: int, classes: int, votes: int) -> None:
        super().__init__()
        sizes = {"weight": (votes, classes, features), "bias": (votes, classes), "share": (votes,)}
        for name, size in sizes.items():
            self.register_buffer(name, torch.zeros(size, dtype=torch.float64))

    @classmethod
    def of(cls, heads: Sequence[Linear], say: Float[Tensor, " t"]) -> Self:
        """These heads, whose votes count in proportion to their say."""
        classes, features = heads[0].weight.shape
        made = cls(features, classes, len(heads))
        with torch.no_grad():
            made.weight.copy_(torch.stack([head.weight for head in heads]))
            made.bias.copy_(torch.stack([head.bias for head in heads]))
        made.share.copy_(say / say.sum())
        return made

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        votes, classes, _ = self.weight.shape
        scores = z.double() @ self.weight.flatten(0, 1).T + self.bias.flatten()
        named = scores.unflatten(1, (votes, classes)).argmax(2)
        told = (named[..., None] == torch.arange(classes, device=z.device)).double()
        shares: Tensor = (told * self.share[:, None]).sum(1)
        return (shares + 0.5 / votes).log()

    def to_json(self) -> dict[str, Any]:
        votes, classes, features = self.weight.shape
        return {"kind": self.kind, "features": features, "classes": classes, "votes": votes}
