"""Closed forms that learn from few labels of the target and many of a source."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ..backbone import Backbone
from ..domain import Domain
from ..engine import one_thread
from ..folds import Rows, complement, inner_folds
from ..method import SMALL, Method
from ..model import Model
from ..output import Classes
from ..pooling import of_classes
from ..problem import Problem
from ..training import Training


@dataclass(frozen=True, eq=False)
class Learned:
    """A head for the target, and what was found on the way, JSON-able, for the model's provenance."""

    head: nn.Module
    told: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WithSource(Method):
    """A head solved on features of the frozen network, of labelled samples of the target and of a source.

    The classes are the target's, and those of the source are matched by name; what else the source has is
    left out. Folds hold out samples of the target only: the source is in every training side.

    A recipe has `head`, or `heads` where subsets of the target's samples have work to share.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"source", "target_labelled"})
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})

    @final
    def learn(self, problem: Problem, backbone: Backbone, training: Training) -> Model:
        target, source = _seen(problem)
        with one_thread(small=source.x.numel() + target.x.numel() < SMALL):
            learned = self.head(target, source, training)
        return Model(backbone, learned.head, target.asked, provenance={**learned.told})

    @final
    def fit_without(
        self, held_out: Sequence[Rows], problem: Problem, backbone: Backbone, training: Training
    ) -> Iterator[Model]:
        """As `Method.fit_without`; features that no fold changes go to `heads` for all folds at once."""
        problem, backbone = self._given(problem, backbone)
        if len(backbone):
            yield from super().fit_without(held_out, problem, backbone, training)
            return
        target, source = _seen(problem.mapped(lambda d: d.with_(x=backbone.preprocessing(d.x))))
        kept = [complement(rows, len(target)) for rows in held_out]
        with one_thread(small=source.x.numel() + target.x.numel() < SMALL):
            found = self.heads(target, source, kept, training)
        for learned in found:
            yield Model(backbone, learned.head, target.asked, engine=training.engine)

    def _given(self, problem: Problem, backbone: Backbone) -> tuple[Problem, Backbone]:
        """As `Method._given`; the preprocessing is fitted to the source, which has samples enough."""
        if not backbone.preprocessing.fitted and "source" in problem.given:
            prepared = backbone.preprocessing.fit(problem.domains["source"].x)
            backbone = backbone.prepared_by(prepared)
        return super()._given(problem, backbone)

    def heads(
        self, target: Domain, source: Domain, kept: Sequence[Rows], training: Training
    ) -> list[Learned]:
        """The head fitted to the source and to each of several subsets of the target's rows."""
        return [self.head(target[rows], source, training) for rows in kept]

    def head(self, target: Domain, source: Domain, training: Training) -> Learned:
        """The head fitted to all of them."""
        return self.heads(target, source, [torch.arange(len(target))], training)[0]


@final
@dataclass(frozen=True, eq=False)
class Together:
    """Features of the source and, behind them, of the target; subsets and folds are rows of both.

    own: what samples weigh to begin with. kept: the source and a subset of the target, for each subset.
    folds: for each subset the held-out rows of its folds, all of the target.
    """

    x: Float[Tensor, "n d"]
    y: Int[Tensor, " n"]
    own: Float[Tensor, " n"]
    of_target: Bool[Tensor, " n"]
    kept: list[Rows]
    folds: list[list[Rows]]

    @classmethod
    def of(cls, target: Domain, source: Domain, kept: Sequence[Rows], folds: int, seed: int) -> "Together":
        n = len(source)
        own = [torch.ones(len(d)) if d.weight is None else d.weight for d in (source, target)]
        return cls(
            torch.cat([source.x, target.x]),
            torch.cat([source.labels, target.labels]),
            torch.cat(own).double(),
            torch.arange(n + len(target)) >= n,
            [torch.cat([torch.arange(n), n + rows]) for rows in kept],
            [[n + rows for rows in inside] for inside in inner_folds(target, kept, folds, seed)],
        )

    def judged_by(self, folds: Sequence[Rows]) -> "Together":
        """The same with these folds for every subset."""
        return replace(self, folds=[list(folds) for _ in self.kept])


def _seen(problem: Problem) -> tuple[Domain, Domain]:
    """The labelled target and what the source has of its classes, as flat features in float64."""
    target = problem.domains["target_labelled"]
    source = of_classes(problem.domains["source"], target.classes)
    return _flat(target), _flat(source)


def _flat(domain: Domain) -> Domain:
    assert isinstance(domain.x, Tensor)
    return domain.with_(x=domain.x.flatten(1).double(), views=None)
