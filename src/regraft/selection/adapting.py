"""The main job where the target has no labels: adapt where that is safe, say why not where it is not."""

import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from .. import __version__
from ..candidates import Candidate, Plan, short_names
from ..diagnosis import KindOfShift
from ..domain import Domain
from ..errors import InputError
from ..features import Store
from ..model import Model
from ..output import Output
from ..planner import plan_across, plan_without_source
from ..problem import Problem
from ..provenance import versions
from ..training import Training
from .adaptation import Adaptation, Tried, asked_of
from .budget import Budget
from .choice import HAND_OVER
from .few_labels import FewLabels
from .label_free import LABEL_FREE, SEEN, Trial, Trials, collapse
from .label_free.stack import WITHOUT_SOURCE, Decision, Row, Stack
from .scores import ClassScores, metric_named
from .settling import Settling, settling
from .simultaneous import gains_over


def adapt(
    problem: Problem,
    methods: list[Any] | None = None,
    backbone: Any = None,
    training: Training | None = None,
    stack: Stack | None = None,
    *,
    metric: str | None = None,
    hand_over: str = "proven",
    budget: float | None = None,
    store: Store | None = None,
    planned: Plan | None = None,
) -> Adaptation:
    """Carry the labels of a source to a target that has none, or keep the source's classifier.

    problem: with `source` (labelled) and `target` (unlabelled); where the source's samples are gone, with
    `source_model` instead, a `Model`, whose own network is then the backbone. methods: names or recipes to
    try; None tries what `plan_across` or `plan_without_source` finds worth it. stack: how the choice is made
    without labels; None is the usual one, or `WITHOUT_SOURCE`. hand_over: "proven", or "likely", which is
    the same here, as the stack says; or "best": the candidate with the best mean rank, whatever speaks
    against it. budget: seconds for training networks, of which each is trained twice, once to be tried and
    once to be handed over; what would not fit is left out. None trains none, but for the adaptation of a
    model, which is a training.

    Every candidate is fitted to four fifths of the source and to the target, and judged by scores that no
    label of the target goes into. What is handed over is refitted to the whole source. Of a source that left
    nothing but a model no kind of shift can be told, and judges that ask its samples have no say.

    With `target_labelled`, a few labelled samples of the target, these judge instead, and candidates that
    learn from them join in, each judged by samples that it did not learn from (`FewLabels`). One is taken if
    the lower bound of its paired gain over source only is above zero, at bounds that hold for all candidates
    at once. What is handed over is refitted to all that its recipe learns from.

    >>> from regraft import Domain
    >>> luck = torch.Generator().manual_seed(0)
    >>> y = torch.arange(120) % 3
    >>> x = 6 * torch.eye(3, 5)[y] + torch.randn(120, 5, generator=luck)
    >>> lab, field = Domain(x, y.tolist()), Domain(1.5 * x + 7)
    >>> study = adapt(Problem(source=lab, target=field))
    >>> (study.model.logits(field).argmax(1) == y).float().mean().item() > 0.95
    True
    """
    metric = metric_named(metric, problem.output)
    if hand_over not in HAND_OVER:
        raise InputError(f"hand_over is {hand_over!r}: it must be one of {', '.join(HAND_OVER)}")
    training, store = training or Training(), store or Store()
    problem = problem.only(SEEN | {"target_labelled"})
    source = _source_of(problem)
    if (few := problem.domains.get("target_labelled")) is not None:
        problem = problem.having("target_labelled", in_terms_of(asked_of(source), few))
    trials = Trials(problem, training, store, clock := Budget(budget))
    if isinstance(source, Domain):
        stack = stack or Stack()
        planned = planned or plan_across(problem, backbone=backbone, methods=methods, budget=budget)
    else:
        if backbone is not None:
            raise InputError("a source_model brings its own network, and a backbone was given: leave it out")
        stack = stack or WITHOUT_SOURCE
        planned = planned or plan_without_source(problem, methods)
    learners = [c for c in planned.candidates if few is not None and "target_labelled" in c.method.needs]
    judge = None if few is None else FewLabels(problem, learners, training, store, clock)
    shift = trials.shift(planned.candidates[0].backbone)
    decided = shift if hand_over != "best" and few is None else None
    candidates, spared = spare([c for c in planned.candidates if c not in learners], decided)
    done = trials.on_split(candidates, training.seed)
    if not done.tried or done.tried[0][0].adapts:
        told = dict(done.left_out).get(planned.candidates[0].name, "it is not in the plan")
        if isinstance(source, Model):
            raise InputError(f"the source's model cannot be used on the target ({told})")
        raise InputError(f"the source's own classifier could not be fitted ({told}): see to the source first")
    base = done.tried[0][1]
    rows: list[Row] = []
    tried: list[Tried] = []
    for candidate, trial in done.tried:
        start = time.perf_counter()
        family = candidate.method.family()
        found = [] if trial is base else collapse(trial, base, shift.moved, family not in shift.right)
        again = candidate.trained or candidate.tunes  # whose refits cost as much as the candidate did
        asked = [j for j in LABEL_FREE if not (again and j.refits) and (trial.held_out or not j.asks_source)]
        scores = {judge.name: judge(trial) for judge in asked}
        rows.append(
            Row(candidate.name, family, not candidate.adapts, scores, tuple(found), candidate.trained)
        )
        on_labels = None
        if judge is not None:
            seen = trials.seen(candidate, judge.labelled)
            on_labels = judge.of_said(trial.fitted.target.logits(seen.x))
        taken = trial.seconds + time.perf_counter() - start
        tried.append(Tried(candidate, scores, (), taken, on_labels))
    left_out = [*planned.left_out, *spared, *done.left_out]
    if judge is None:
        decision = stack.best(rows) if hand_over == "best" else stack.decide(rows, shift)
    else:
        taught, without = judge.of_learners()
        tried += [Tried(c, {}, (), seconds, scores, learns=True) for c, scores, seconds in taught]
        left_out += without
        tried = with_gains(tried, metric)
        decision = by_labels(tried, metric, hand_over)
    tried = [replace(row, against=why) for row, why in zip(tried, decision.against, strict=True)]

    def refitted() -> Model:
        kept = tried[decision.chosen]
        if kept.learns and judge is not None:
            return judge.refitted(kept.candidate)
        return trials.refitted(kept.candidate)

    return Adaptation(
        source=source,
        target=problem.domains["target"],
        labelled=None if judge is None else judge.labelled,
        plan=planned,
        judge=stack.describe(shift) if judge is None else judge.describe(len(tried) - 1),
        metric=metric,
        shift=shift,
        rows=tried,
        decision=decision,
        settling=_settling(done.tried, stack, rows, decision),
        made=refitted,
        left_out=left_out,
        setting={
            "regraft": __version__,
            "versions": versions(),
            "system": platform.platform(),
            "seed": training.seed,
            "given": {role: len(domain) for role, domain in problem.domains.items()},
            "budget": budget,
            "threads": torch.get_num_threads(),
        },
    )


def spare(
    candidates: Sequence[Candidate], shift: KindOfShift | None
) -> tuple[list[Candidate], list[tuple[str, str]]]:
    """The candidates without the networks that the kind of shift rules out, which need not be trained for it.

    What the user asked for is kept; training on the source alone is spared where nothing has to beat it.
    """
    if shift is None:
        return list(candidates), []
    out = {
        candidate.name: why
        for candidate in candidates
        if candidate.trained and candidate.adapts and not candidate.asked
        if (why := shift.against(candidate.method.family()))
    }
    left = [c for c in candidates if c.name not in out]
    if out and not any(c.trained and c.adapts for c in left):
        why = "nothing else is trained, which would have to beat it"
        out |= {c.name: why for c in left if c.trained and not c.asked}
    return [c for c in candidates if c.name not in out], list(out.items())


def _source_of(problem: Problem) -> Domain | Model:
    """The source's samples, or what is left of them."""
    if (source := problem.domains.get("source")) is not None:
        return source
    if isinstance(problem.source_model, Model):
        return problem.source_model
    raise InputError("there is no source: give a labelled source, or a source_model, and a target")


def in_terms_of(output: Output, labelled: Domain) -> Domain:
    """Labelled samples of the target with the source's classes, matched by name.

    >>> lab, few = Domain([[0.0], [1.0]], ["crow", "owl"]), Domain([[1.0]], ["owl"])
    >>> in_terms_of(lab.asked, few).y.tolist()
    [1]
    """
    y, observed = output.matched(labelled.asked, labelled.labels, labelled.observed)
    return labelled.with_(y=y, observed=observed, output=output)


def with_gains(rows: Sequence[Tried], metric: str) -> list[Tried]:
    """The rows with their gains over the first of them, between bounds that hold for all at once."""
    scores = [row.on_labels for row in rows if isinstance(row.on_labels, ClassScores)]
    gains = gains_over(scores[0], scores[1:], metric) if len(scores) > 1 else []
    return [rows[0], *(replace(row, gain=gain) for row, gain in zip(rows[1:], gains, strict=True))]


def by_labels(rows: Sequence[Tried], metric: str, hand_over: str = "proven") -> Decision:
    """The choice by a few labelled samples of the target: the best row that is surely ahead of source only.

    Where none is, the source's own classifier is kept. By the rule "best" the best score is taken.
    """
    here = "the labelled samples of the target"
    values = [-1.0 if row.on_labels is None else row.on_labels.value(metric) for row in rows]
    gains = [row.gain for row in rows]
    against = tuple(
        () if gain is None or gain.low > 0 else (f"gain on labels of the target: {gain.points()}",)
        for gain in gains
    )
    proven = [i for i, gain in enumerate(gains) if gain is not None and gain.low > 0]
    if hand_over == "best":
        chosen = max(range(len(rows)), key=lambda i: (values[i], -i))
        return Decision(chosen, _moves(rows[chosen]), (f"the best score on {here}, as you asked",), against)
    if not proven:
        return Decision(0, False, (f"no other is surely ahead on {here}",), against)
    chosen = max(proven, key=lambda i: (values[i], -i))
    gain = gains[chosen]
    assert gain is not None
    reasons = (f"ahead of {short_names([row.candidate for row in rows])[0]} on {here}, {gain.points()}",)
    return Decision(chosen, _moves(rows[chosen]), reasons, against)


def _moves(row: Tried) -> bool:
    """Whether it is more than the source's classifier as it is."""
    return row.learns or row.candidate.adapts


def _settling(
    done: Sequence[tuple[Candidate, Trial]], stack: Stack, rows: Sequence[Row], decision: Decision
) -> Settling | None:
    """Between what was handed over and source only; where that is the same, the best of those refused."""
    others = [i for i, row in enumerate(rows) if not row.baseline and not row.vetoes]
    if not others:
        return None
    if decision.chosen >= len(rows):
        return None  # chosen by labels already, and by nothing that the others were asked
    rival = decision.chosen if decision.adapts else stack.foremost(rows, others)
    said = [done[i][1].of_target.argmax(1) for i in (rival, 0)]
    return settling(said[0], said[1], (rows[rival].name, rows[0].name))
