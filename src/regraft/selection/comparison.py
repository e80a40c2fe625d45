"""The main job: try what may help, judge it against what borrows nothing, hand over what deserves it."""

import platform
import time
from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .. import __version__
from ..backbone import Backbone
from ..backbones import levels_of
from ..candidates import Candidate, Plan
from ..certainty import Certainty, certainty_of
from ..doctor import Copies, Examination, examine
from ..domain import Domain
from ..engine import (
    TIMED,
    Engine,
    fastest_engine,
    fastest_training_engine,
    remembered_engine,
    usual_engine,
)
from ..errors import InputError
from ..features import BATCH, Store, embed
from ..folds import Rows, complement, judgeable
from ..heads.levels import unpacked
from ..model import Model
from ..output import Classes, Mask
from ..planner import plan
from ..problem import Problem
from ..progress import Silent
from ..provenance import origin, versions
from ..samples import kind_of
from ..training import Training
from .budget import Budget
from .choice import HAND_OVER, Result, best, handed_over
from .curve import LearningCurve, learning_curve
from .judges import CrossValidation
from .nested import Entry, nested
from .racing import GivenUp, Race
from .scores import metric_named, scores_of
from .study import Study

SIDES = {"target_labelled": "labelled"}  # what the examination calls the roles of a problem, if not so


def compare(
    problem: Problem,
    methods: list[Any] | None = None,
    backbone: Any = None,
    training: Training | None = None,
    judge: CrossValidation | None = None,
    *,
    metric: str | None = None,
    hand_over: str = "proven",
    budget: float | None = None,
    store: Store | None = None,
    planned: Plan | None = None,
) -> Study:
    """Judge every candidate on the same folds, and hand over the best that earns it.

    problem: with `target_labelled`. methods: names or recipes to try; None tries what `plan` finds worth it.
    backbone: a name, a folder, a module or a `Backbone`. metric: one of the output's `metrics`, for classes
    "accuracy" or "balanced_accuracy"; without one, the first of them.
    hand_over: "proven" as said below, or "best": the row with the best score, whatever the verdict.
    budget: seconds for training networks, and what is left of them for nested cross-validation, if that is
    enough for it; None trains none. store: where activations are kept.

    The baselines borrow nothing and get the same folds and the same care. A transfer is handed over only if
    the interval of its paired gain over the best baseline is above zero, and a fine-tuned network only if it
    also beats the probe in that way. What is handed over is refitted on all labels. With very few labels
    little can be proven: a transfer that is right nine times in ten may be refused at ten labels.

    A network whose training the plan tries, not you, is given up as soon as it is unlikely to end ahead of
    the best row before it (`racing.Race`), and where no change of a few stages is likely to be better, larger
    ones are left out.

    Copies of one picture, near ones too, are on one side of every fold. What else there is to say of the data
    is in `study.examination` (`regraft.doctor`), where the labelled samples are the side "labelled".

    >>> from regraft import Domain
    >>> x = torch.cat([torch.randn(30, 4), torch.randn(30, 4) + 3])
    >>> birds = Domain(x, ["owl"] * 30 + ["crow"] * 30)
    >>> study = compare(Problem(target_labelled=birds))
    >>> study.model.predict(x[:1])
    ['owl']
    """
    metric = metric_named(metric, problem.output)
    if hand_over not in HAND_OVER:
        raise InputError(f"hand_over is {hand_over!r}: it must be one of {', '.join(HAND_OVER)}")
    judge, training, store = judge or CrossValidation(), training or Training(), store or Store()
    planned = planned or plan(problem, backbone=backbone, methods=methods, budget=budget)
    copies = Copies.among({SIDES.get(role, role): domain for role, domain in problem.domains.items()})
    labelled = copies.joined("labelled")
    problem = replace(problem, target_labelled=labelled)
    splits = {trained: judge.splits(labelled, trained) for trained in (False, True)}
    clock = Budget(budget)
    results: list[Result] = []
    entries: list[Entry] = []
    left_out = list(planned.left_out)
    timing: dict[str, float] = {}
    engines: dict[int, Engine] = {}
    step_engines: dict[int, Engine] = {}
    everywhere = judgeable_in_all(labelled, splits[False] + splits[True])
    cuts: dict[Hashable, tuple[Problem, Backbone, float]] = {}
    paid: dict[int, bool] = {}  # whether a change of so many stages is likely to be one for the better

    def running(candidate: Candidate) -> Training:
        network = id(candidate.backbone)
        return replace(training, engine=engines[network], step_engine=step_engines.get(network))

    with training.progress.track("candidates", len(planned.candidates)) as task:
        for candidate in sorted(planned.candidates, key=by_freedom):
            network = candidate.backbone
            less = [paid[stages] for stages in paid if stages < by_freedom(candidate)]
            if less and not any(less) and not candidate.asked:
                left_out.append((candidate.name, "training fewer stages did not pay"))
                task.advance()
                continue
            if id(network) not in engines:
                engines[id(network)] = engine_for(network, problem, training, store)
            if candidate.tunes and id(network) not in step_engines:
                step_engines[id(network)] = engine_for(network, problem, training, store, steps=True)
            run = running(candidate)
            method = candidate.method
            cut = (id(network), method.lowest_trained(network), method.needs, method.many_views)
            if cut not in cuts:
                cuts[cut] = at_the_cut(candidate, problem, store, run)
                timing[network.name] = timing.get(network.name, 0.0) + cuts[cut][2]
            seen, suffix, _ = cuts[cut]
            folds = splits[candidate.trained]
            reason = clock.too_long(candidate, seen, suffix, len(folds[0]), run)
            if reason:
                left_out.append((candidate.name, reason))
                task.advance()
                continue
            try:
                rival = race_of(candidate, results, metric)
                results.append(judged(candidate, seen, suffix, folds, run, everywhere, rival))
                entries.append((candidate, seen, suffix, run))
                better = rival is None or rival.won_by(results[-1])
            except GivenUp as reason:
                left_out.append((candidate.name, str(reason)))
                better = False
            if candidate.tunes:
                paid[by_freedom(candidate)] = paid.get(by_freedom(candidate), False) or better
            task.advance()
    kept, transfer, tuning = handed_over(results, metric, hand_over)
    winner = best(results, metric)
    again = None
    if budget is not None and len(splits[False][0]) * sum(r.seconds for r in results) < clock.left:
        again = nested(entries, splits[False][0], judge, judged, kept, metric, hand_over)

    def refitted() -> tuple[Model, Domain]:
        run = running(kept.candidate)
        seen, suffix, _ = at_the_cut(kept.candidate, problem, store, run)
        fitted = kept.candidate.method.fit(seen, suffix, run)
        features = embed(fitted.backbone, seen.domains["target_labelled"], None, run.engine)
        fitted.certainty = sureness(kept, labelled, features)
        whole = fitted.behind(prefix_of(kept.candidate)) if suffix is not kept.candidate.backbone else fitted
        # of the samples and the network themselves, of which `fit` saw what is behind the cut
        whole.provenance |= origin(problem.only(kept.candidate.method.needs), kept.candidate.backbone)
        return whole, features

    def learned() -> LearningCurve | None:
        if kept.candidate.trained:
            return None  # every point would be trainings of a network
        run = running(kept.candidate)
        seen, suffix, _ = at_the_cut(kept.candidate, problem, store, run)
        return learning_curve(kept, seen, suffix, metric, run)

    return Study(
        labelled=labelled,
        plan=planned,
        judge=judge.describe(labelled, trained=any(r.candidate.trained for r in results)),
        metric=metric,
        results=results,
        winner=winner,
        handed_over=kept,
        rule=hand_over,
        transfer=transfer,
        tuning=tuning,
        nested=None if again is None else again.interval(metric),
        made=refitted,
        learned=learned,
        left_out=left_out,
        examination=examination(copies, winner, list(cuts.values())),
        timing=timing,
        setting={
            "regraft": __version__,
            "torch": str(torch.__version__),
            "versions": versions(),
            "system": platform.platform(),
            "seed": training.seed,
            "given": {role: len(domain) for role, domain in problem.domains.items()},
            "budget": budget,
            "engines": {c.backbone.name: str(engines[id(c.backbone)]) for c in planned.candidates},
            "threads": torch.get_num_threads(),
        },
    )


def sureness(kept: Result, labelled: Domain, features: Domain) -> Certainty | None:
    """How sure the model may be, by what was held out of it and by what it has seen."""
    columns = kind_of(labelled.x) != "images" and not any(True for _ in kept.candidate.backbone.parameters())
    return certainty_of(kept.logits[:, kept.judged], labelled[kept.judged], features, directions=not columns)


def examination(copies: Copies, winner: Result, cuts: list[tuple[Problem, Backbone, float]]) -> Examination:
    """What there is to say of the data, from what the comparison has computed anyway.

    Label errors are told by the best row, if it looks at the samples; outliers by the features of the network
    that was borrowed.
    """
    told = winner.candidate.looks and isinstance(copies.sides["labelled"].output, Classes)
    whole = [
        (seen.domains["target_labelled"], rest) for seen, rest, _ in cuts if rest.pretrained and not len(rest)
    ]
    return examine(
        copies.sides,
        copies=copies,
        features={"labelled": one_vector_each(*whole[0])} if whole else None,
        opinions={"labelled": (winner.expected, winner.judged)} if told else None,
    )


def one_vector_each(seen: Domain, network: Backbone) -> Float[Tensor, "n d"]:
    """The features of pictures as they are compared with each other: of maps the mean of the coarsest."""
    assert isinstance(seen.x, Tensor)
    if not isinstance(seen.output, Mask):
        return seen.x
    return unpacked(seen.x, levels_of(network))[-1].float().mean((2, 3))


def prefix_of(candidate: Candidate) -> Backbone:
    """The part of the backbone that the candidate never trains."""
    return candidate.backbone.cut(candidate.method.lowest_trained(candidate.backbone))[0]


def at_the_cut(
    candidate: Candidate, problem: Problem, store: Store, training: Training
) -> tuple[Problem, Backbone, float]:
    """The problem seen from the lowest stage that the candidate trains, the network from there, the seconds.

    Preprocessing that is fitted to the training fold is not shared between folds: then nothing is embedded.
    """
    backbone = candidate.backbone
    if not backbone.preprocessing.fitted:
        return problem, backbone, 0.0
    start = time.perf_counter()
    prefix, suffix = backbone.cut(candidate.method.lowest_trained(backbone))
    needed = problem.only(candidate.method.needs)
    seen = candidate.method.at_the_cut(prefix, needed, training, store)
    return seen, suffix, time.perf_counter() - start


def judged(
    candidate: Candidate,
    seen: Problem,
    suffix: Backbone,
    splits: list[list[Rows]],
    training: Training,
    everywhere: Bool[Tensor, " n"] | None = None,
    race: Race | None = None,
) -> Result:
    """What the judge says of the candidate: every fold is predicted by a fit without it.

    everywhere: the samples that count; without it, those of `judgeable_in_all`. race: what the candidate has
    to keep up with; without it, it is judged to the end. Raises GivenUp where it does not keep up.
    """
    labelled = seen.domains["target_labelled"]
    if everywhere is None:
        everywhere = judgeable_in_all(labelled, splits)
    start = time.perf_counter()
    logits: Tensor | None = None
    folds = [(repeat, rows) for repeat, held_out in enumerate(splits) for rows in held_out]
    done: list[Rows] = []
    with training.progress.track(candidate.name, len(folds)) as task:
        held_out = [rows for _, rows in folds]
        models = candidate.method.fit_without(held_out, seen, suffix, quietly(candidate, training))
        for (repeat, rows), model in zip(folds, models, strict=True):
            learned = labelled.labels[complement(rows, len(labelled))]
            said = labelled.asked.silenced(model.logits(labelled.x[rows]), learned)
            if logits is None:
                logits = said.new_zeros(len(splits), len(labelled), *said.shape[1:])
            logits[repeat, rows] = said
            task.advance()
            done.append(rows)
            if race is not None and repeat == 0:
                race.check(logits[0], done, len(splits[0]), labelled, everywhere)
    assert logits is not None
    overlap = 1 / (len(splits[0]) - 1) if len(splits[0]) > 1 else 1.0
    expected = labelled.asked.expected(logits)
    scores = scores_of(expected, labelled, everywhere, overlap)
    return Result(candidate, scores, time.perf_counter() - start, logits, expected.mean(0), everywhere)


def by_freedom(candidate: Candidate) -> int:
    """Candidates in the order in which they are judged: what changes a network after what does not, and what
    changes more of it after what changes less."""
    lowest = candidate.method.lowest_trained(candidate.backbone)
    return len(candidate.backbone) - lowest if candidate.tunes else 0


def race_of(candidate: Candidate, results: list[Result], metric: str) -> Race | None:
    """What a network that is trained has to keep up with: the best so far of those that borrow as it does.

    What the user asked for runs to the end.
    """
    rivals = [r for r in results if r.candidate.borrows == candidate.borrows]
    if not (candidate.tunes or candidate.trained) or candidate.asked or not rivals:
        return None
    return Race(best(rivals, metric), metric)


def judgeable_in_all(labelled: Domain, splits: list[list[Rows]]) -> Bool[Tensor, " n"]:
    """The samples that every repeat holds out with others of their class left to learn from."""
    times = torch.zeros(len(labelled), dtype=torch.long)
    for rows in (rows for held_out in splits for rows in held_out):
        times[rows] += judgeable(labelled, rows).long()
    return times == len(splits)


def quietly(candidate: Candidate, training: Training) -> Training:
    """Closed forms are over before a bar could show."""
    return training if candidate.trained else replace(training, progress=Silent())


def engine_for(
    backbone: Backbone, problem: Problem, training: Training, store: Store, *, steps: bool = False
) -> Engine:
    """The engine that is asked for, or on networks for pictures the fastest that agrees with it.

    It is chosen once for each network and machine, for training `steps` apart from features, and remembered
    beside the store: stored activations and checkpoints belong to an engine.
    """
    labelled = problem.domains["target_labelled"]
    asked = training.engine
    if len(backbone) < 2 or not backbone.pretrained or asked != Engine(asked.device):
        return asked
    few = backbone.preprocessing(labelled.x[torch.arange(min(TIMED, len(labelled)))])
    if few.ndim != 4:
        return asked
    if len(labelled) < 4 * BATCH:
        return usual_engine(asked.device)
    name, fastest = backbone.fingerprint(), fastest_training_engine if steps else fastest_engine
    return remembered_engine(
        store.folder, f"{name} trained" if steps else name, lambda: fastest(backbone, few, asked.device)
    )
