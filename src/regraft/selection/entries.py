"""Candidates as they are judged: what they share is made once for each network and each cut."""

import time
from collections.abc import Hashable
from dataclasses import dataclass, replace

import torch

from ..backbone import Backbone
from ..candidates import Candidate
from ..domain import Domain
from ..engine import (
    TIMED,
    Engine,
    fastest_engine,
    fastest_training_engine,
    remembered_engine,
    usual_engine,
)
from ..features import BATCH, Store
from ..method import Both
from ..model import Model
from ..problem import Problem
from ..provenance import origin
from ..training import Training


@dataclass(frozen=True, eq=False)
class Entry:
    """A candidate, what it sees, and how it is run.

    seen: the problem from the lowest stage that the candidate trains on. suffix: the network from there.
    """

    candidate: Candidate
    seen: Problem
    suffix: Backbone
    training: Training

    @classmethod
    def at_the_cut(cls, candidate: Candidate, problem: Problem, store: Store, training: Training) -> "Entry":
        """The part of the network that the candidate never trains is run once, over every sample.

        Preprocessing that is fitted to the training fold is not shared between folds: then nothing is run.
        """
        if not candidate.backbone.preprocessing.fitted:
            return cls(candidate, problem, candidate.backbone, training)
        prefix, suffix = _cut(candidate)
        needed = problem.needed(candidate.method.needs)
        seen = candidate.method.at_the_cut(prefix, needed, training, store)
        return cls(candidate, seen, suffix, training)

    @property
    def labelled(self) -> Domain:
        """The labelled samples that teach the candidate, as they are seen."""
        method = self.candidate.method
        return self.seen.cast(method.needs).domains[method.taught]

    @property
    def prefix(self) -> Backbone:
        """The part of the network that was run before, of no stages where nothing could be."""
        network = self.candidate.backbone
        return network[:0] if self.suffix is network else _cut(self.candidate)[0]

    def fitted(self) -> Model:
        """The model of the candidate, which takes what `seen` holds."""
        return self.candidate.method.fit(self.seen, self.suffix, self.training)

    def fitted_to(self, problem: Problem) -> Both:
        """What the candidate makes of another problem that is seen as `seen` is: a part of it, or the way
        back."""
        return self.candidate.method.fit_both(problem, self.suffix, self.training)

    def whole(self, fitted: Model, problem: Problem) -> Model:
        """A fitted model with the rest of the network, which takes the samples of the problem themselves."""
        candidate = self.candidate
        model = fitted if self.suffix is candidate.backbone else fitted.behind(_cut(candidate)[0])
        # of the samples and the network themselves, of which `fit` saw what is behind the cut
        model.provenance |= origin(problem.needed(candidate.method.needs), candidate.backbone)
        return model


class Entries:
    """The entries of one problem; candidates on the same network share its engines, and behind the same cut
    the activations.

    seconds: what each network took to be run, by name.
    """

    def __init__(self, problem: Problem, training: Training, store: Store) -> None:
        self.problem = problem
        self.training = training
        self.store = store
        self.seconds: dict[str, float] = {}
        self._engines: dict[tuple[int, bool], Engine] = {}
        self._made: dict[Hashable, Entry] = {}

    def of(self, candidate: Candidate) -> Entry:
        """The candidate's entry."""
        network, method = candidate.backbone, candidate.method
        training = replace(self.training, engine=self.engine(network))
        if candidate.tunes:
            training = replace(training, step_engine=self.engine(network, steps=True))
        views = method.many_views and (method.many_views, method.augmented)
        cut = (id(network), method.lowest_trained(network), method.needs, views)
        if cut not in self._made:
            start = time.perf_counter()
            self._made[cut] = Entry.at_the_cut(candidate, self.problem, self.store, training)
            taken = time.perf_counter() - start
            self.seconds[network.name] = self.seconds.get(network.name, 0.0) + taken
        return replace(self._made[cut], candidate=candidate, training=training)

    def engine(self, network: Backbone, *, steps: bool = False) -> Engine:
        """What the network runs on: for its features, or for training `steps`."""
        key = (id(network), steps)
        if key not in self._engines:
            self._engines[key] = self._engine_for(network, steps)
        return self._engines[key]

    def of_features(self) -> Entry | None:
        """An entry that sees the features of a borrowed network, where there is one."""
        return next((e for e in self._made.values() if e.suffix.pretrained and not len(e.suffix)), None)

    def _engine_for(self, backbone: Backbone, steps: bool) -> Engine:
        """The engine that is asked for, or on networks for pictures the fastest that agrees with it.

        It is chosen once for each network and machine, and remembered beside the store: stored activations
        and checkpoints belong to an engine.
        """
        domains = self.problem.domains
        seen = domains["target"] if domains.keys() == {"target"} else self.problem.labelled
        asked = self.training.engine
        if len(backbone) < 2 or not backbone.pretrained or asked != Engine(asked.device):
            return asked
        few = backbone.preprocessing(seen.x[torch.arange(min(TIMED, len(seen)))])
        if few.ndim != 4:
            return asked
        if len(seen) < 4 * BATCH:
            return usual_engine(asked.device)
        name, fastest = backbone.fingerprint(), fastest_training_engine if steps else fastest_engine
        return remembered_engine(
            self.store.folder,
            f"{name} trained" if steps else name,
            lambda: fastest(backbone, few, asked.device),
        )


def _cut(candidate: Candidate) -> tuple[Backbone, Backbone]:
    """The part of the network that the candidate never trains, and the rest."""
    return candidate.backbone.cut(candidate.method.lowest_trained(candidate.backbone))
