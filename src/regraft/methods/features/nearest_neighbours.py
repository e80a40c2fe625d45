"""The classes of the nearest training samples."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn.functional import nll_loss

from ...domain import Domain
from ...heads import NeighbourMeans, Neighbours
from ...heads.neighbours import most_similar, votes
from ...method import OnFeatures, param
from ...output import Classes, MultiLabel
from ...output.entries import known_entries
from ...training import Training
from ...units import Units


@final
@dataclass(frozen=True, kw_only=True)
class NearestNeighbours(OnFeatures):
    """f(x)_c = log (1/K) Σ_{i ∈ N_K(x)} [yᵢ = c],  N_K(x): the K samples nearest to x

    Nearest are those with the largest cosine between φ(x) − φ̄ and φ(xᵢ) − φ̄, with φ̄ the mean training
    feature. Numbers are averaged, and of several labels each is counted by itself. K is chosen by leaving
    each sample and its group out (0 means so). It follows classes
    of any shape, but in many dimensions and with few labels the linear heads need fewer samples.

    >>> from regraft.backbones import vectors
    >>> from regraft.problem import Problem
    >>> data = Domain([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0], [1.0, 0.1]], ["up", "up", "right", "right"])
    >>> NearestNeighbours().fit(Problem(target_labelled=data), vectors()).predict([[0.0, 3.0]])
    ['up']
    """

    reference: ClassVar[str] = "Cover & Hart, IEEE Trans. Inf. Theory 1967"
    map: ClassVar[tuple[str, ...]] = ("M01",)

    neighbours: int = param(
        0, "K: how many samples vote; 0 chooses by leaving one out", search=(0, 1, 3, 5, 10)
    )

    def head(self, features: Domain, training: Training) -> nn.Module:
        assert isinstance(features.x, Tensor)
        if not isinstance(features.output, Classes):
            return self.means(features)
        z, y, k = features.x.float(), features.labels, features.classes.width
        head = Neighbours(len(z), z.shape[1], k, nearest=1)
        head.centre.copy_(z.mean(0))
        head.points.copy_(head.directions(z))
        head.labels.copy_(y)
        head.nearest = self.neighbours or self.best_number(head, groups_of(features))
        return head

    def means(self, features: Domain) -> NeighbourMeans:
        """The head for numbers, or for several labels."""
        assert isinstance(features.x, Tensor)
        z, y, asked = features.x.float(), features.labels, features.asked
        odds = isinstance(asked, MultiLabel)
        head = NeighbourMeans(len(z), z.shape[1], asked.width, nearest=1, odds=odds)
        head.centre.copy_(z.mean(0))
        head.points.copy_(head.directions(z))
        head.values.copy_(y)
        head.known.copy_(known_entries(y, features.observed))
        head.usual.copy_(asked.prior(y, features.observed))
        if self.neighbours:
            head.nearest = self.neighbours
            return head
        tried = numbers_to_try(len(z))
        closest = most_similar(head.points, head.points, tried[-1], groups_of(features))
        # in units of the numbers' own spread, so that each has as much of a say
        units = Units.of(features)
        standard = units.standard(features)
        told = [units.told(head.means(closest[:, :number])) for number in tried]
        loss = [asked.loss(said, standard.labels, features.observed).mean() for said in told]
        head.nearest = tried[int(torch.stack(loss).argmin())]
        return head

    @staticmethod
    def best_number(head: Neighbours, group: Int[Tensor, " n"]) -> int:
        """The K of the lowest loss when every sample is judged by those of other groups."""
        tried = numbers_to_try(len(head.labels))
        closest = most_similar(head.points, head.points, tried[-1], group)
        loss = [
            nll_loss(votes(closest[:, :number], head.labels, head.classes), head.labels) for number in tried
        ]
        return tried[int(torch.stack(loss).argmin())]


def groups_of(features: Domain) -> Int[Tensor, " n"]:
    """The group of each sample, which is alone in one where there are no groups."""
    return torch.arange(len(features)) if features.group is None else features.group


def numbers_to_try(n: int) -> list[int]:
    """The values of K for so many samples."""
    return [number for number in (1, 3, 5, 10, 20) if number < n] or [1]
