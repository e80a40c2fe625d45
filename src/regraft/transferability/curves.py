"""The A-n-B experiment: which layers are general, and which belong to a task or to each other."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from ..backbone import Backbone
from ..domain import Domain
from ..errors import InputError
from ..features import embed
from ..folds import Rows
from ..intervals import Interval
from ..model import Model
from ..preprocessing import AsTheyAre
from ..problem import Problem
from ..samples import kind_of
from ..text import aligned, counted, seconds_text
from ..training import Training
from .network import untrained
from .repeats import over_repeats
from .transplant import Transplant
from .trials import OVERLAP, Trial, check_classes, check_pair, of_halves, of_pair, seed_of

# name -> whether the copies are A's, and whether they learn along
CURVES = {"BnB": (False, False), "BnB+": (False, True), "AnB": (True, False), "AnB+": (True, True)}
MOST_CUTS = 6  # of a network with more stages so many are taken, evenly
EPOCHS, LEAST_STEPS = 30, 300  # over the target, where the number of steps is not given


@final
@dataclass(frozen=True)
class Transferability:
    """Test accuracies on B by repeat: of a network from scratch, and of what copies its first stages.

    cuts: for each column the number of copied stages. stages: the names of the last of them.
    scratch: of baseB, r repeats. points: by the name of the curve, r × cuts. source_accuracy: of baseA on
    A's own held-out samples; None where A is a network that was given. steps: that every network was
    trained for. a, b: what A and B are. network: its name.
    """

    cuts: tuple[int, ...]
    stages: tuple[str, ...]
    scratch: Float[Tensor, " r"]
    points: dict[str, Float[Tensor, "r cuts"]]
    source_accuracy: Float[Tensor, " r"] | None
    steps: int
    a: str
    b: str
    network: str

    @property
    def repeats(self) -> int:
        return len(self.scratch)

    def accuracy(self, curve: str, column: int) -> Interval:
        """Of a point, with its 95 % interval by itself."""
        return _share(over_repeats(self.points[curve][:, column], OVERLAP))

    @property
    def from_scratch(self) -> Interval:
        """The accuracy of baseB."""
        return _share(over_repeats(self.scratch, OVERLAP))

    def against_scratch(self, curve: str) -> Float[Tensor, "r cuts"]:
        """The accuracy over that of baseB of the same repeat."""
        return self.points[curve] - self.scratch[:, None]

    def fall(self, curve: str) -> Interval:
        """What the curve loses from the first cut to the last; below zero it gains."""
        return over_repeats(self.points[curve][:, 0] - self.points[curve][:, -1], OVERLAP)

    def __str__(self) -> str:
        from .words import reading

        rows = [
            [name, *map(str, line), *[""] * (len(CURVES) - len(line))] for name, line in self.lines.items()
        ]
        return "\n".join([self.setting, "", aligned(["copied up to", *CURVES], rows), "", *reading(self)])

    @property
    def lines(self) -> dict[str, list[Interval]]:
        """The accuracies by what is copied: of baseB alone where it is nothing, then of every curve."""
        named = [f"{n} {stage}" for n, stage in zip(self.cuts, self.stages, strict=True)]
        points = {name: [self.accuracy(c, i) for c in CURVES] for i, name in enumerate(named)}
        return {"nothing (baseB)": [self.from_scratch], **points}

    @property
    def setting(self) -> str:
        """What was measured, in one line."""
        own = "" if self.source_accuracy is None else f" (baseA {float(self.source_accuracy.mean()):.2f})"
        return (
            f"A: {self.a}{own}. B: {self.b}. {self.network}, {self.steps:,} steps for every network, "
            f"{counted(self.repeats, 'repeat')}. Test accuracy on B."
        )

    def to_json(self) -> dict[str, Any]:
        from .words import reading

        return {
            "a": self.a,
            "b": self.b,
            "network": self.network,
            "steps": self.steps,
            "cuts": [{"copied": n, "stage": s} for n, s in zip(self.cuts, self.stages, strict=True)],
            "scratch": {**self.from_scratch.to_json(), "repeats": self.scratch.tolist()},
            "curves": {
                curve: [
                    {**self.accuracy(curve, i).to_json(), "repeats": points[:, i].tolist()}
                    for i in range(len(self.cuts))
                ]
                for curve, points in self.points.items()
            },
            "source_accuracy": None if self.source_accuracy is None else self.source_accuracy.tolist(),
            "reading": reading(self),
        }


def transferable(
    target: Domain,
    source: Domain | None = None,
    backbone: Backbone | None = None,
    *,
    halves: bool = False,
    cuts: Sequence[int] | None = None,
    repeats: int = 5,
    steps: int | None = None,
    batch_size: int = 64,
    rate: float = 2e-3,
    budget: float | None = None,
    training: Training | None = None,
) -> Transferability:
    """The curves BnB, BnB+, AnB and AnB+ over the cuts of a network, and baseB, from scratch, beside them.

    baseA and baseB are trained from scratch on A and on B. For a cut n the first n stages are copied from
    baseB (BnB) or baseA (AnB) and frozen, the rest starts at random and learns B; with + the copies learn
    too. Where BnB is below baseB, the layers had adapted to each other and do not find together again;
    where AnB is below BnB, those of A are specialised in A. All are trained for the same number of steps,
    without a look at the test samples, of which each repeat holds out another fifth; in one repeat all
    share the batches and what is random.

    target: B, images or vectors with classes. source: A; without it A is what the backbone is pretrained on.
    backbone: the network that is cut, of whose weights only that A makes use; a small one without it.
    halves: A and B are halves of the target's classes instead, drawn for each repeat.
    cuts: numbers of copied stages; at most six of all, evenly, where they are not given.
    steps: thirty epochs of the target, 300 at the least, where it is not given. rate: of stages and head.
    budget: seconds; no repeat begins that would not end in time, and two are needed.
    training: seed, device, checkpoints; each network trained so far is found again there.

    Raises `InputError` for tables, too few classes or samples, samples that A and B share, and time for
    less than two repeats. Map: M10. Yosinski et al., NeurIPS 2014, arXiv:1411.1792.

    >>> x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    >>> found = transferable(Domain(x, [0, 1, 2, 3] * 10), halves=True, cuts=[1, 3], repeats=2, steps=20)
    >>> found.stages, found.points["AnB+"].shape
    (('layer1', 'layer3'), torch.Size([2, 2]))
    """
    training = training or Training()
    _check(target, source, halves, repeats)
    backbone = untrained(target) if backbone is None else backbone  # one of no stages is false
    _check_network(backbone, borrowed=source is None and not halves)
    chosen = _cuts(backbone, cuts)
    told_a, told_b = _told(target, source, backbone, halves)
    look = backbone[:0]
    target = embed(look, target)
    source = None if source is None else embed(look, source)
    if steps is None:
        kept = (len(target) // 2 if halves else len(target)) * 4 // 5
        steps = max(LEAST_STEPS, EPOCHS * kept // batch_size)
    recipe = Transplant(epochs=0, least_steps=steps, batch_size=batch_size, rate=rate, held_out=0.0)
    network, seed = backbone.prepared_by(AsTheyAre()), training.seed
    drawn = of_halves(target, repeats, seed) if halves else of_pair(source, target, repeats, seed)
    scores = _repeated(list(drawn), network, recipe, chosen, training, budget)
    found = {name: torch.tensor([scored[name] for scored in scores]) for name in scores[0]}
    return Transferability(
        tuple(chosen),
        tuple(backbone.names[n - 1] for n in chosen),
        found["baseB"][:, 0],
        {curve: found[curve] for curve in CURVES},
        found["baseA"][:, 0] if "baseA" in found else None,
        steps,
        told_a,
        told_b,
        backbone.name,
    )


def _repeated(
    trials: Sequence[Trial],
    network: Backbone,
    recipe: Transplant,
    cuts: Sequence[int],
    training: Training,
    budget: float | None,
) -> list[dict[str, list[float]]]:
    """Of each repeat that the budget allows, the accuracies by curve, in the order of the cuts."""
    started = time.monotonic()
    fits = (1 if trials[0].a is None else 2) + len(CURVES) * len(cuts)
    scores: list[dict[str, list[float]]] = []
    with training.progress.track("networks", len(trials) * fits) as task:
        for r, trial in enumerate(trials):
            scores.append({})
            for name, accuracy in _trial(trial, network, recipe, cuts, training, r):
                if budget is not None and scores == [{}]:  # after the first network of all
                    _check_budget(budget, fits * (time.monotonic() - started))
                scores[-1].setdefault(name, []).append(accuracy)
                task.advance()
            passed = time.monotonic() - started
            if budget is not None and r > 0 and passed * (r + 2) / (r + 1) > budget:
                break
    return scores


def _trial(
    trial: Trial, network: Backbone, recipe: Transplant, cuts: Sequence[int], training: Training, r: int
) -> Iterator[tuple[str, float]]:
    """The accuracy of each network of a repeat, by the name of its curve; baseB is the first."""
    first, second = (replace(training, seed=2 * seed_of(training.seed, r) + i) for i in range(2))
    base_b = _fitted(recipe, trial.b, trial.b_test, network, first)
    yield "baseB", _accuracy(base_b, trial.b[trial.b_test])
    theirs = network
    if trial.a is not None and trial.a_test is not None:
        base_a = _fitted(recipe, trial.a, trial.a_test, network, first)
        yield "baseA", _accuracy(base_a, trial.a[trial.a_test])
        theirs = base_a.backbone
    for n in cuts:
        for curve, (from_a, tuned) in CURVES.items():
            copied = replace(recipe, copied=n, tuned=tuned)
            given = theirs if from_a else base_b.backbone
            # what is random starts from other numbers than those that baseB started from
            model = _fitted(copied, trial.b, trial.b_test, given, second)
            yield curve, _accuracy(model, trial.b[trial.b_test])


def _fitted(recipe: Transplant, domain: Domain, test: Rows, network: Backbone, training: Training) -> Model:
    return next(recipe.fit_without([test], Problem(target_labelled=domain), network, training))


def _accuracy(model: Model, test: Domain) -> float:
    return float((model.logits(test.x).argmax(1) == test.labels).double().mean())


def _cuts(backbone: Backbone, wanted: Sequence[int] | None) -> list[int]:
    """The cuts that are wanted, in order; at most six of all, evenly, where none are.

    >>> from regraft.backbones import small_mlp
    >>> _cuts(small_mlp(1, (1,) * 3), None), _cuts(small_mlp(1, (1,) * 13), None)
    ([1, 2, 3], [1, 3, 6, 8, 11, 13])
    """
    stages = len(backbone)
    if wanted is None:
        few = min(stages, MOST_CUTS)
        return [round(1 + i * (stages - 1) / max(1, few - 1)) for i in range(few)]
    if not wanted or min(wanted) < 1 or max(wanted) > stages:
        raise InputError(
            f"cuts at {list(wanted)} of {backbone.name}: give numbers from 1 to {stages}, its stages"
        )
    return sorted(set(wanted))


def _told(target: Domain, source: Domain | None, backbone: Backbone, halves: bool) -> tuple[str, str]:
    """What A and B are."""
    if halves:
        return "half of the classes", f"the other half, of {target}"
    return str(source) if source is not None else f"what {backbone.name} was pretrained on", str(target)


def _check(target: Domain, source: Domain | None, halves: bool, repeats: int) -> None:
    """InputError, before anything is trained, where the experiment makes no sense."""
    for domain in (target, source):
        if domain is not None and kind_of(domain.x) not in ("images", "vectors"):
            raise InputError(f"{domain} were given: layers are compared on images or vectors; give those")
    if repeats < 2:
        raise InputError(f"{repeats} repeats were asked for: intervals need 2 at the least")
    if not halves:
        check_pair(source, target)
    elif source is None:
        check_classes(target, "the set to be split", least=4)
    else:
        raise InputError("a source and halves were asked for: give a source, or split the target's classes")


def _check_network(backbone: Backbone, borrowed: bool) -> None:
    """InputError where the network has no stages, or A is to be what it knows and it knows nothing."""
    if len(backbone) == 0:
        raise InputError(f"{backbone.name} has no layers that could be copied: give a network")
    if borrowed and not backbone.pretrained:
        raise InputError(
            f"there is nothing for A: {backbone.name} is not pretrained; give a source, a pretrained "
            "network, or split the target's classes (--halves)"
        )


def _check_budget(budget: float, repeat: float) -> None:
    """InputError where two repeats would take longer than there is time."""
    if 2 * repeat > budget:
        raise InputError(
            f"a repeat takes up to {seconds_text(repeat)} s here, two are needed, and the budget is "
            f"{seconds_text(budget)} s: give more time, fewer --steps or fewer --cuts"
        )


def _share(interval: Interval) -> Interval:
    """An interval of a share, which is between 0 and 1."""
    return Interval(interval.value, max(0.0, interval.low), min(1.0, interval.high))
