"""The units in which a network learns numbers."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .domain import Domain
from .heads import MLP, Linear
from .output import Real
from .output.entries import known_entries


@final
@dataclass(frozen=True, eq=False)
class Units:
    """y = centre + scale · y′, where y′ has mean 0 and variance 1 over the samples that are learned from.

    Steps of a network are of one size, prices and shares are not. What is named, and not measured, has no
    units: then all of this does nothing.

    >>> homes = Domain([[0.0], [1.0]], [100.0, 300.0], Real(("price",)))
    >>> Units.of(homes).standard(homes).y.tolist()
    [[-1.0], [1.0]]
    """

    centre: Float[Tensor, " k"] | None = None
    scale: Float[Tensor, " k"] | None = None

    @classmethod
    def of(cls, labelled: Domain) -> "Units":
        if not isinstance(labelled.output, Real):
            return cls()
        y, known = labelled.labels, known_entries(labelled.labels, labelled.observed)
        count = known.sum(0).clamp_min(1)
        centre = y.sum(0) / count
        scale = ((y - centre).square() * known).sum(0).div(count).sqrt()
        return cls(centre, torch.where(scale > 0, scale, 1.0))

    def standard(self, labelled: Domain) -> Domain:
        """The same samples with y′."""
        if self.centre is None or self.scale is None:
            return labelled
        y = self.told(labelled.labels)
        return labelled.with_(y=y * known_entries(y, labelled.observed))

    def told(self, y: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """y′ of y."""
        return y if self.centre is None or self.scale is None else (y - self.centre) / self.scale

    @torch.no_grad()
    def restore(self, head: nn.Module) -> None:
        """Let a head that learned y′ put out y."""
        if self.centre is None or self.scale is None:
            return
        last = head.layers[-1] if isinstance(head, MLP) else head
        assert isinstance(last, Linear | nn.Linear)
        scale, centre = (part.to(last.bias) for part in (self.scale, self.centre))
        last.weight.mul_(scale[:, None])
        last.bias.mul_(scale).add_(centre)
