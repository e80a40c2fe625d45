"""Two views of a sample that mean the same: what is changed about it, said once for each kind of samples."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..augmentation import Augmentation, pixels_in
from ..method import param
from ..pretext import PIXELS, VECTORS, Pretext


@dataclass(frozen=True, kw_only=True)
class OfViews(Pretext):
    """A task about two views of every sample, each changed on its own.

    Pictures: crops, mirror images, colours, turns (`Augmentation`). Vectors and tables: a share of the
    columns is that of other samples of the batch (`corrupted`).
    """

    takes = frozenset({PIXELS, VECTORS})

    crop: float = param(0.3, "least share of a picture that a random crop keeps", search=(0.1, 0.3, 0.6))
    flip: bool = param(True, "whether half of the pictures are mirrored", search=(False, True))
    colour: float = param(0.4, "largest change of brightness, contrast and saturation", (0.0, 0.2, 0.4))
    affine: float = param(0.0, "how much pictures are turned, moved and scaled", search=(0.0, 0.25, 0.5))
    corrupt: float = param(0.3, "share of a vector's columns taken from other samples", (0.1, 0.3, 0.6))

    @property
    def unseen(self) -> tuple[str, ...]:
        """What the changes make of no account."""
        moved, turned = self.crop < 1 or self.affine > 0, self.affine > 0
        told = {"position": moved, "size": moved, "colour": self.colour > 0, "mirror": self.flip}
        return tuple(name for name, gone in {**told, "orientation": turned}.items() if gone)

    def view(self, x: Tensor) -> Tensor:
        """A batch, every sample changed anew."""
        if not pixels_in(x):
            return corrupted(x, self.corrupt)
        how = Augmentation(self.crop, self.flip, self.colour, self.affine)
        return how(x, torch.rand(len(x), how.numbers))


def corrupted(x: Float[Tensor, "n d"], share: float) -> Float[Tensor, "n d"]:
    """x̃_ij = x_kj for a share of the columns j of every row i, k any row of the batch.

    Bahri et al., SCARF, ICLR 2022, arXiv:2106.15147, algorithm 1.

    >>> corrupted(torch.ones(3, 4), 0.5).tolist() == [[1.0] * 4] * 3
    True
    """
    taken = torch.rand(x.shape) < share
    rows = torch.randint(len(x), x.shape)
    others = x.gather(0, rows.to(x.device))
    return torch.where(taken.to(x.device), others, x)
