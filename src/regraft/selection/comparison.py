"""The main job: try what may help, judge it against what borrows nothing, hand over what deserves it."""

import platform
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from .. import __version__
from ..backbone import Backbone
from ..backbones import levels_of
from ..candidates import Candidate, Plan
from ..certainty import Certainty, certainty_of
from ..doctor import Copies, Examination, Finding, Sample, examine
from ..domain import Domain
from ..errors import InputError
from ..features import Store, embed
from ..folds import complement
from ..heads.levels import unpacked
from ..model import Model
from ..output import Classes, Mask
from ..planner import plan, raw_backbone
from ..pooling import joined
from ..problem import Problem
from ..provenance import versions
from ..samples import kind_of, sample_names
from ..training import Training
from .belonging import Belonging, belonging
from .budget import Budget
from .choice import HAND_OVER, Result, best, brought_beside, handed_over
from .curve import LearningCurve, learning_curve
from .entries import Entries, Entry
from .expectation import UNKNOWN
from .judges import CrossValidation
from .judging import judgeable_in_all, judged
from .nested import nested
from .racing import GivenUp, Race
from .scores import metric_named
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
    hand_over: str = "likely",
    budget: float | None = None,
    store: Store | None = None,
    planned: Plan | None = None,
) -> Study:
    """Judge every candidate on the same samples, and hand over the best that earns it.

    problem: with `target_labelled`. methods: names or recipes to try; None tries what `plan` finds worth it.
    backbone: a name, a folder, a module or a `Backbone`. metric: one of the output's `metrics`, for classes
    "accuracy" or "balanced_accuracy"; without one, the first of them.
    hand_over: "likely" or "proven" as said below, or "best": the row with the best score, whatever the
    verdict.
    budget: seconds for training networks, and what is left of them for nested cross-validation, if that is
    enough for it; None trains none. store: where activations are kept.

    The baselines borrow nothing and get the same care; what is trained, theirs and ours, has folds of its own
    (`CrossValidation`). A transfer is handed over only if the interval of its paired gain over the best
    baseline is above zero, and a fine-tuned network only if it also beats the probe in that way. What learns
    from samples without labels as well (`unlabelled`) is handed over only if it beats the best of all that
    learn from the labels alone in that way; or, by the rule "likely", if that is more likely than not
    (`Expectation.likely`) and the pool looks like the labelled samples (`belonging`). Copies of labelled
    samples are left out of that pool, so that no fold is judged by what was seen of it. What is handed over
    is refitted on all labels. With very few labels little can be proven: a transfer that is right nine times
    in ten may be refused at ten labels.

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
    for method in (candidate.method for candidate in planned.candidates):
        if problem.casting(method.needs).get(method.taught) != "target_labelled":
            raise InputError(
                f"{type(method).__name__} learns from a source, and folds of the target's labels do not "
                "judge it: give the problem to rg.adapt, or leave the method out"
            )
    copies = Copies.among({SIDES.get(role, role): domain for role, domain in problem.domains.items()})
    labelled = copies.joined("labelled")
    problem, said = less_copies(replace(problem, target_labelled=labelled), copies)
    if problem.unlabelled is None and said:
        if any(c.adapts and c.asked for c in planned.candidates):
            raise InputError(
                "all samples without labels are copies of labelled ones: give others, or leave them out"
            )
        planned = planned.without_a_pool()
    splits = {trained: judge.splits(labelled, trained) for trained in (False, True)}
    clock = Budget(budget)
    results: list[Result] = []
    judged_ones: list[Entry] = []
    left_out = list(planned.left_out)
    entries = Entries(problem, training, store)
    everywhere = judgeable_in_all(labelled, splits[False] + splits[True])
    kind = of_the_kind(problem, planned, entries)
    alike = kind is not None and kind.alike
    paid: dict[int, bool] = {}  # whether a change of so many stages is likely to be one for the better

    with training.progress.track("candidates", len(planned.candidates)) as task:
        for candidate in sorted(planned.candidates, key=by_freedom):
            less = [paid[stages] for stages in paid if stages < by_freedom(candidate)]
            if less and not candidate.adapts and not any(less) and not (candidate.asked or candidate.rival):
                left_out.append((candidate.name, "training fewer stages did not pay"))
                task.advance()
                continue
            entry, folds = entries.of(candidate), splits[candidate.trained]
            if reason := clock.too_long(entry, len(folds[0])):
                left_out.append((candidate.name, reason))
                task.advance()
                continue
            try:
                rival = race_of(candidate, results, metric, hand_over == "likely" and alike)
                results.append(judged(entry, folds, everywhere, rival))
                judged_ones.append(entry)
                better = rival is None or rival.won_by(results[-1])
            except GivenUp as reason:
                left_out.append((candidate.name, str(reason)))
                better = False
            if candidate.tunes and not candidate.adapts:  # what a pool adds tells nothing of stages
                paid[by_freedom(candidate)] = paid.get(by_freedom(candidate), False) or better
            task.advance()
    choice = handed_over(results, metric, hand_over, alike)
    kept = choice.kept
    winner = best(results, metric)
    told = kind.findings(problem.unlabelled) if kind is not None and problem.unlabelled is not None else ()
    again = None
    if budget is not None and len(splits[False][0]) * sum(r.seconds for r in results) < clock.left:
        again = nested(judged_ones, splits[False][0], judge, kept, metric, hand_over, alike)

    def refitted() -> tuple[Model, Domain]:
        entry = entries.of(kept.candidate)
        fitted = entry.fitted()
        features = embed(fitted.backbone, entry.labelled, None, entry.training.engine)
        fitted.certainty = sureness(kept, labelled, features)
        return entry.whole(fitted, problem), features

    def learned() -> LearningCurve | None:
        if kept.candidate.trained:
            return None  # every point would be trainings of a network
        return learning_curve(kept, entries.of(kept.candidate), metric)

    return Study(
        labelled=labelled,
        plan=planned,
        judge=judge.describe(labelled, trained=any(r.candidate.trained for r in results)),
        metric=metric,
        results=results,
        winner=winner,
        handed_over=kept,
        rule=hand_over,
        transfer=choice.transfer,
        tuning=choice.tuning,
        pool=choice.pool,
        nested=None if again is None else again.interval(metric),
        made=refitted,
        learned=learned,
        left_out=left_out,
        examination=examination(copies, winner, entries.of_features()) + said + told,
        belonging=kind,
        timing=entries.seconds,
        setting={
            "regraft": __version__,
            "torch": str(torch.__version__),
            "versions": versions(),
            "system": platform.platform(),
            "seed": training.seed,
            "given": {role: len(domain) for role, domain in problem.domains.items()},
            "budget": budget,
            "engines": {c.backbone.name: str(entries.engine(c.backbone)) for c in planned.candidates},
            "threads": torch.get_num_threads(),
        },
    )


def less_copies(problem: Problem, copies: Copies) -> tuple[Problem, tuple[Finding, ...]]:
    """The problem with a pool in which no sample is a copy of a labelled one, and what was left out of it."""
    pool = problem.unlabelled
    copied = [] if pool is None else copies.copied("unlabelled", "labelled").tolist()
    if pool is None or not copied:
        return problem, ()
    names = sample_names(pool[copied].x)
    found = Finding(
        "copies",
        "warning",
        f"left out of the pool: {len(copied)} of {len(pool)} samples, copies of labelled ones",
        tuple((Sample("unlabelled", i, name),) for i, name in zip(copied, names, strict=True)),
    )
    rest = complement(torch.tensor(copied), len(pool))
    return replace(problem, unlabelled=pool[rest] if len(rest) else None), (found,)


def of_the_kind(problem: Problem, planned: Plan, entries: Entries) -> Belonging | None:
    """Whether the pool looks like the labelled samples to the network that is borrowed, or as it is."""
    learner = next((c for c in planned.candidates if c.adapts), None)
    if learner is None or problem.unlabelled is None:
        return None
    labelled, pool = problem.domains["target_labelled"], problem.unlabelled
    network = learner.backbone if learner.backbone.pretrained else raw_backbone(labelled)
    if not network.preprocessing.fitted:
        network = network.prepared_by(network.preprocessing.fit(joined([labelled.x, pool.x])))
    engine = entries.engine(network)
    seen, others = (embed(network, side, entries.store, engine) for side in (labelled, pool))
    assert isinstance(others.x, Tensor)
    return belonging(seen, others.x, directions=network.pretrained, seed=entries.training.seed)


def sureness(kept: Result, labelled: Domain, features: Domain) -> Certainty | None:
    """How sure the model may be, by what was held out of it and by what it has seen."""
    columns = kind_of(labelled.x) != "images" and not any(True for _ in kept.candidate.backbone.parameters())
    return certainty_of(kept.logits[:, kept.judged], labelled[kept.judged], features, directions=not columns)


def examination(copies: Copies, winner: Result, seeing: Entry | None) -> Examination:
    """What there is to say of the data, from what the comparison has computed anyway.

    Label errors are told by the best row, if it looks at the samples; outliers by the features of the network
    that was borrowed, which `seeing` sees.
    """
    told = winner.candidate.looks and isinstance(copies.sides["labelled"].output, Classes)
    return examine(
        copies.sides,
        copies=copies,
        features=None if seeing is None else {"labelled": one_vector_each(seeing.labelled, seeing.suffix)},
        opinions={"labelled": (winner.expected, winner.judged)} if told else None,
    )


def one_vector_each(seen: Domain, network: Backbone) -> Float[Tensor, "n d"]:
    """The features of pictures as they are compared with each other: of maps the mean of the coarsest."""
    assert isinstance(seen.x, Tensor)
    if not isinstance(seen.output, Mask):
        return seen.x
    return unpacked(seen.x, levels_of(network))[-1].float().mean((2, 3))


def by_freedom(candidate: Candidate) -> int:
    """Candidates in the order in which they are judged: what changes a network after what does not, and what
    changes more of it after what changes less."""
    lowest = candidate.method.lowest_trained(candidate.backbone)
    return len(candidate.backbone) - lowest if candidate.tunes else 0


def race_of(candidate: Candidate, results: list[Result], metric: str, trusted: bool) -> Race | None:
    """What a network that is trained has to keep up with: the best so far of those that borrow as it does.

    trusted: whether what uses the pool may be handed over unproven.
    What the user asked for, and what another has to beat, runs to the end.
    """
    rivals = [r for r in results if r.candidate.borrows == candidate.borrows]
    if not (candidate.tunes or candidate.trained) or candidate.asked or candidate.rival or not rivals:
        return None
    rival = best(rivals, metric)
    usual = brought_beside(rival, metric) if trusted and candidate.adapts else UNKNOWN
    return Race(rival, metric, usual)
