"""Counts of words, made comparable between long texts and short ones."""

from typing import Any, ClassVar, final

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from ..samples import Samples
from ..sparse import SparseRows
from . import AsTheyAre, Preprocessing


@final
class WordCounts(Preprocessing):
    """log(1 + count), each row of length 1.

    Nothing is fitted, so a row looks alike whatever others it is among. Columns are not brought to one scale,
    which would make the rarest words the loudest.

    >>> import torch
    >>> WordCounts()(torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 9.0]]))[1].tolist()
    [0.0, 0.0, 1.0]
    """

    kind: ClassVar[str] = "word counts"

    def __call__(self, x: Tensor | Samples) -> Float[Tensor, "n d"]:
        z = x.dense() if isinstance(x, SparseRows) else AsTheyAre()(x).flatten(1).float()
        return normalize(z.sign() * z.abs().log1p(), dim=1)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind}
