"""Candidates fitted to a part of a labelled source, or to its model, and to a target without labels."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ...backbone import Backbone
from ...candidates import Candidate
from ...diagnosis import KindOfShift, kind_of_shift
from ...domain import Domain
from ...engine import one_thread
from ...errors import InputError
from ...features import Store, embed, with_views
from ...folds import Rows, hold_out
from ...heads.principal import principal
from ...method import SMALL
from ...methods.both_sides import bounded
from ...methods.reweighting.discriminative import Discriminative
from ...model import Model
from ...output import Classes
from ...problem import Problem
from ...training import Training
from ..budget import Budget
from ..entries import Entries, Entry
from .trial import HeldOut, Trial

SEEN = frozenset({"source", "target"})
LEFT = frozenset({"source_model", "target"})  # where the source's samples are gone
HELD_OUT = 0.2  # of the source
TRIALS = 1  # fits of a candidate besides that to the whole source
COMPONENTS = 256  # principal ones, that judges look at where features have more columns


@dataclass(frozen=True, eq=False)
class Round:
    """What one split of the source showed: the trials, and who could not be tried and why."""

    tried: tuple[tuple[Candidate, Trial], ...]
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Frozen:
    """What a network shows of the whole source and of the target before anything is trained, in at most
    `COMPONENTS` principal components; of a source whose samples are gone, of none.

    ratio: p_target / p_source at the samples of the source, of mean 1.
    """

    source: Float[Tensor, "n d"]
    target: Float[Tensor, "m d"]
    ratio: Float[Tensor, " n"]


@final
class Trials:
    """Trials of candidates on one problem; what splits of the source share is made once.

    problem: `source` and `target` are looked at, and nothing else: neither candidates nor judges see labels
    of the target here, should there be some. Without a source its place takes `source_model`, and no trial
    has anything held out. budget: what training networks may take.

    >>> from regraft import METHODS
    >>> from regraft.backbones import vectors
    >>> import torch
    >>> lab = Domain(torch.linspace(0, 1, 20)[:, None], ["low"] * 10 + ["high"] * 10)
    >>> trials = Trials(Problem(source=lab, target=Domain(lab.x + 0.05)))
    >>> tried = trials.on_split([Candidate(METHODS["SourceOnly"](), vectors(), "")], seed=0).tried
    >>> [(candidate.name, len(trial.held_out.samples)) for candidate, trial in tried]
    [('SourceOnly (columns)', 4)]
    """

    def __init__(
        self,
        problem: Problem,
        training: Training | None = None,
        store: Store | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.roles = LEFT if "source_model" in problem.given and "source" not in problem.given else SEEN
        if missing := sorted(self.roles - problem.given):
            raise InputError(
                f"there is no {' and no '.join(missing)}: give a labelled source, or its model, and a target"
            )
        self.problem = problem = problem.only(self.roles)
        if not isinstance(problem.output, Classes):
            raise InputError(
                f"judges without target labels compare classes, and what is asked is "
                f"{problem.output.describe()}: label some of the target and compare there"
            )
        self.training = training or Training()
        self.entries = Entries(problem, self.training, store or Store())
        self.budget = budget or Budget(None)
        self._frozen: dict[int, Frozen] = {}

    def on_split(self, candidates: Sequence[Candidate], seed: int) -> Round:
        """Every candidate fitted to four fifths of the source, and what it says of the rest and the target.

        The fifth is stratified and never splits a group; another seed holds out another one. Who fails with
        an InputError is left out with its reason.
        """
        split = self._split(seed)
        tried: list[tuple[Candidate, Trial]] = []
        left_out: list[tuple[str, str]] = []
        with self.training.progress.track("candidates", len(candidates)) as task:
            for candidate in candidates:
                try:
                    trial = self._trial(candidate, candidates[0].backbone, split, seed)
                    tried.append((candidate, trial))
                except InputError as reason:
                    left_out.append((candidate.name, str(reason)))
                task.advance()
        said = [trial.of_target for _, trial in tried]
        return Round(
            tuple(
                (candidate, replace(trial, others=tuple(said[:i] + said[i + 1 :])))
                for i, (candidate, trial) in enumerate(tried)
            ),
            tuple(left_out),
        )

    def shift(self, network: Backbone) -> KindOfShift:
        """What kind of shift there is, by what the network shows before anything is trained."""
        if self.roles == LEFT:
            return KindOfShift("hidden", ())
        frozen = self._of(network)
        seen = self.problem.domains["source"].with_(x=frozen.source, views=None)
        return kind_of_shift(seen, frozen.target, self.training.seed)

    def seen(self, candidate: Candidate, domain: Domain) -> Domain:
        """Other samples as a candidate's fitted models take them."""
        entry = self.entries.of(candidate)
        if entry.suffix is candidate.backbone:
            return domain
        return embed(entry.prefix, domain, self.entries.store, entry.training.engine, self.training.progress)

    def refitted(self, candidate: Candidate) -> Model:
        """The candidate's model of the whole source, which takes the samples themselves."""
        entry = self.entries.of(candidate)
        return entry.whole(entry.fitted(), self.problem)

    def _split(self, seed: int) -> tuple[Rows, Rows] | None:
        """Which samples of the source teach and which are held out; nothing where it has none."""
        source = self.problem.domains.get("source")
        if source is None:
            return None
        kept, held_out = hold_out(source, HELD_OUT, seed)
        if not len(held_out):
            raise InputError(
                f"of the source ({source}) no fifth can be held out: give at least five samples of a class, "
                "in five groups where there are groups"
            )
        return kept, held_out

    def _trial(
        self, candidate: Candidate, looking: Backbone, split: tuple[Rows, Rows] | None, seed: int
    ) -> Trial:
        """looking: the network through which judges look at the samples, whatever the candidate trains."""
        if candidate.method.needs != self.roles:
            raise InputError(
                f"it needs {' and '.join(sorted(candidate.method.needs))}: without labels of the target take "
                f"what learns from {' and '.join(sorted(self.roles))}"
            )
        entry = self.entries.of(candidate)
        if reason := self.budget.too_long(entry, TRIALS):
            raise InputError(reason)
        seen = self._both_ways(entry)
        problem = seen if split is None else seen.restricted(split[0], "source")
        frozen = self._of(looking)
        start = time.perf_counter()
        both = entry.fitted_to(problem)
        seconds = time.perf_counter() - start
        of_target = both.target.logits(seen.domains["target"].x).log_softmax(1)
        held_out = None
        if split is not None:
            held, rows = seen.domains["source"][split[1]].with_(views=None), split[1]
            said = both.source.logits(held.x).log_softmax(1)
            held_out = HeldOut(held, said, frozen.ratio[rows], frozen.source[rows])
        if of_target.isnan().any() or (held_out is not None and held_out.said.isnan().any()):
            raise InputError("its scores are no numbers: lower the rate of learning")
        return Trial(
            problem=problem,
            of_target=of_target,
            features=frozen.target,
            fitted=both,
            refit=entry.fitted_to,
            held_out=held_out,
            seed=seed,
            seconds=seconds,
        )

    def _both_ways(self, entry: Entry) -> Problem:
        """What the candidate sees; where it learns from changed copies of the source, with such copies of the
        target as well, which teaches on the way back."""
        changes, source = entry.candidate.method.many_views, entry.seen.domains.get("source")
        if changes is None or source is None or source.views is None:
            return entry.seen
        through = partial(embed, store=self.entries.store, engine=entry.training.engine)
        target = self.problem.domains["target"]
        return entry.seen.having(
            "target", with_views(entry.prefix, target, *changes, entry.training.seed, through)
        )

    def _of(self, network: Backbone) -> Frozen:
        """What the network shows; what it was never trained to see it shows as well as it can."""
        if id(network) not in self._frozen:
            source, target = self.problem.domains.get("source"), self.problem.domains["target"]
            ready = network
            if not network.preprocessing.fitted and source is not None:
                ready = network.prepared_by(network.preprocessing.fit(source.x))
            z_t = self._embedded(ready, network, target)
            z_s = z_t[:0] if source is None else self._embedded(ready, network, source)
            if z_s.shape[1] > COMPONENTS:
                space = principal([z_s, z_t], COMPONENTS)
                z_s, z_t = space(z_s), space(z_t)
            ratio = density_ratio(z_s, z_t, self.training) if len(z_s) else torch.zeros(0)
            self._frozen[id(network)] = Frozen(z_s, z_t, ratio)
        return self._frozen[id(network)]

    def _embedded(self, ready: Backbone, network: Backbone, domain: Domain) -> Float[Tensor, "n d"]:
        engine = self.entries.engine(network)
        x = embed(ready, domain, self.entries.store, engine, self.training.progress).x
        assert isinstance(x, Tensor)
        return x.flatten(1)


def density_ratio(
    source: Float[Tensor, "n d"], target: Float[Tensor, "m d"], training: Training
) -> Float[Tensor, " n"]:
    """p_target / p_source at the source, of mean 1: the weights that `Discriminative` gives by default.

    >>> import torch
    >>> x = torch.linspace(-1, 1, 50)[:, None]
    >>> ratio = density_ratio(x, x[40:], Training())
    >>> bool(ratio[45] > 10 * ratio[5]), round(ratio.mean().item(), 6)
    (True, 1.0)
    """
    recipe = Discriminative()
    with one_thread(small=source.numel() + target.numel() < SMALL):
        space = principal([source, target], recipe.components)
        return bounded(recipe.weights(space(source), space(target), training), recipe.largest)
