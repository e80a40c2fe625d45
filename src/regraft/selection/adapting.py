"""The main job where the target has no labels: adapt where that is safe, and say why not where it is not."""

import platform
import time
from dataclasses import replace
from typing import Any

import torch

from .. import __version__
from ..candidates import Plan
from ..errors import InputError
from ..features import Store
from ..planner import plan
from ..problem import Problem
from ..provenance import versions
from ..training import Training
from .adaptation import Adaptation, Tried
from .choice import HAND_OVER
from .label_free import LABEL_FREE, Trials, collapse
from .label_free.stack import Row, Stack
from .scores import metric_named


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

    problem: with `source` (labelled) and `target` (unlabelled). methods: names or recipes to try; None tries
    what `plan` finds worth it. stack: how the choice is made without labels. hand_over: "proven" as the stack
    says, or "best": the candidate with the best mean rank, whatever speaks against it. budget: seconds for
    training networks; None trains none.

    Every candidate is fitted to four fifths of the source and to the target, and judged by scores that no
    label of the target goes into. What is handed over is refitted to the whole source.

    With `target_labelled`, a few labelled samples of the target, these judge instead: a candidate is taken if
    the lower bound of its paired gain over source only is above zero. No candidate learns from them.

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
    training, store, stack = training or Training(), store or Store(), stack or Stack()
    few = problem.domains.get("target_labelled")
    labelled = None if few is None else in_terms_of(problem.domains["source"], few)
    problem = problem.only(frozenset({"source", "target"}))
    planned = planned or plan(problem, backbone=backbone, methods=methods, budget=budget)
    trials = Trials(problem, training, store)
    done = trials.on_split(planned.candidates, training.seed)
    if not done.tried or done.tried[0][0].adapts:
        raise InputError(f"source only could not be fitted ({dict(done.left_out)}): see to that first")
    shift = trials.shift()
    base = done.tried[0][1]
    rows, tried = [], []
    for candidate, trial in done.tried:
        start = time.perf_counter()
        scores = {judge.name: judge(trial) for judge in LABEL_FREE}
        vetoes = () if trial is base else tuple(collapse(trial, base, shift.proportions))
        rows.append(Row(candidate.name, candidate.method.family(), not candidate.adapts, scores, vetoes))
        tried.append(Tried(candidate, scores, (), time.perf_counter() - start))
    decision = stack.decide(rows, shift)
    tried = [replace(t, against=why) for t, why in zip(tried, decision.against, strict=True)]
    return Adaptation(
        source=problem.domains["source"],
        target=problem.domains["target"],
        labelled=labelled,
        plan=planned,
        judge=stack.describe(),
        metric=metric,
        differs=shift.sentences,
        rows=tried,
        decision=decision,
        settling=_settling(rows, [trial for _, trial in done.tried], decision),
        made=lambda: _refitted(trials, done.tried[decision.chosen][0], problem),
        left_out=[*planned.left_out, *done.left_out],
        setting={
            "regraft": __version__,
            "versions": versions(),
            "system": platform.platform(),
            "seed": training.seed,
            "given": {role: len(domain) for role, domain in problem.domains.items()},
            "threads": torch.get_num_threads(),
        },
    )
