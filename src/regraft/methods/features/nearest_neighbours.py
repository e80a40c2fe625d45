"""The classes of the nearest training samples."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn.functional import nll_loss

from ...domain import Domain
from ...heads import Neighbours
from ...heads.neighbours import votes
from ...method import OnFeatures, param
from ...output import Classes
from ...training import Training


@final
@dataclass(frozen=True, kw_only=True)
class NearestNeighbours(OnFeatures):
    """f(x)_c = log (1/K) Σ_{i ∈ N_K(x)} [yᵢ = c],  N_K(x): the K samples nearest to x

    Nearest are those with the largest cosine between φ(x) − φ̄ and φ(xᵢ) − φ̄, with φ̄ the mean training
    feature. K is chosen by leaving each sample and its group out (0 means so). It follows classes
    of any shape, but in many dimensions and with few labels the linear heads need fewer samples.

    >>> from regraft.backbones import vectors
    >>> from regraft.problem import Problem
    >>> data = Domain([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0], [1.0, 0.1]], ["up", "up", "right", "right"])
    >>> NearestNeighbours().fit(Problem(target_labelled=data), vectors()).predict([[0.0, 3.0]])
    ['up']
    """

    reference: ClassVar[str] = "Cover & Hart, IEEE Trans. Inf. Theory 1967"
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    map: ClassVar[tuple[str, ...]] = ("M01",)

    neighbours: int = param(
        0, "K: how many samples vote; 0 chooses by leaving one out", search=(0, 1, 3, 5, 10)
    )

    def head(self, features: Domain, training: Training) -> nn.Module:
        assert isinstance(features.x, Tensor)
        z, y, k = features.x.float(), features.labels, features.classes.width
        head = Neighbours(len(z), z.shape[1], k, nearest=1)
        head.centre.copy_(z.mean(0))
        head.points.copy_(head.directions(z))
        head.labels.copy_(y)
        group = torch.arange(len(z)) if features.group is None else features.group
        head.nearest = self.neighbours or self.best_number(head, group)
        return head

    @staticmethod
    def best_number(head: Neighbours, group: Int[Tensor, " n"]) -> int:
        """The K of the lowest loss when every sample is judged by those of other groups."""
        n = len(head.labels)
        similarity = head.points @ head.points.T
        similarity[group[:, None] == group] = -torch.inf
        tried = [number for number in (1, 3, 5, 10, 20) if number < n] or [1]
        loss = [
            nll_loss(votes(similarity, head.labels, head.classes, number), head.labels) for number in tried
        ]
        return tried[int(torch.stack(loss).argmin())]
