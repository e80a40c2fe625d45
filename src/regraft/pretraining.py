"""Backbones from unlabelled samples: what they learn chosen by few labels, and judged by them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor

from .backbone import Backbone
from .backbone_folder import save_backbone
from .backbones import open_backbone, pixels, small_convnet, small_mlp, small_text, table, vectors, words
from .contradiction import contradictions
from .domain import Domain
from .engine import luck_of
from .errors import InputError
from .features import embed
from .output import Classes
from .preprocessing.tokens import Tokens
from .pretext import PIXELS, Pretext, Pretrained, beginning, kind_of_prepared, must_be_several, must_be_time
from .pretext_choice import PretextChoice, Tried, promising
from .pretexts import PRETEXTS, pretext_named
from .samples import kind_of, sizes_of
from .selection.choice import Result
from .selection.judges import CrossValidation
from .selection.judging import probe_judged
from .selection.scores import metric_named
from .training import Training
from .watch import Watch, collapse

SMALL_PICTURE, LARGE_PICTURE = 48, 64  # pixels a side up to which 32 are looked at, and what else is
TRIALS = 0.5  # share of the budget in which tasks are compared, where there are several
AUTO = "auto"


@final
@dataclass(frozen=True, eq=False)
class Pretraining:
    """A backbone that learned without labels, how it did, and, by few labels, what that is worth.

    messages: what is wrong with it, in words.
    """

    made: Pretrained
    choice: PretextChoice | None
    messages: tuple[str, ...]

    @property
    def backbone(self) -> Backbone:
        return self.made.backbone

    def __str__(self) -> str:
        parts = [str(self.made), *self.messages, *([] if self.choice is None else ["", str(self.choice)])]
        return "\n".join(parts)

    def to_json(self) -> dict[str, Any]:
        """What there is to know of the run, for machines."""
        history = self.made.history
        return {
            "task": type(self.made.task).__name__,
            "recipe": self.made.task.recipe(),
            "steps": self.made.steps,
            "seconds": round(self.made.seconds, 3),
            "course": history.course,
            "watched": [{"step": step, **told} for step, told in history.watched],
            "messages": list(self.messages),
            "choice": self.choice and self.choice.to_json(),
        }

    def save(self, folder: str | Path) -> Path:
        """Write a folder that is a backbone for `open_backbone` and `regraft fit --backbone`."""
        text = json.dumps(self.to_json(), indent=1, ensure_ascii=False)
        return save_backbone(self.backbone, folder, {"study.json": text})


def pretrain(
    pool: Domain,
    task: str | Pretext = AUTO,
    backbone: Any = None,
    training: Training | None = None,
    *,
    labelled: Domain | None = None,
    budget: float | None = None,
    metric: str | None = None,
) -> Pretraining:
    """A backbone that learned from a pool without labels; to be given to `compare`, or saved.

    task: a name or a recipe; "auto" compares all that can be made of the samples by a probe on `labelled`,
    in half of the budget, leaves out those that contradict the labels (`contradictions`), and trains the
    most promising one (`promising`) in the other half. backbone: anything that `open_backbone` takes, to go
    on from what it has learned; None for a small network with random weights that suits the samples.
    labelled: a few samples with labels: a probe on them is judged while the backbone learns, which changes
    nothing about what is learned, and at the end against the samples as they are and the network as it was.
    budget: seconds of training; without it the task's own number of epochs. metric: of the labels' kind, as
    in `compare`.

    That the probe's labels chose among tasks makes the winner's number a little too high; with few labels
    they hardly tell tasks apart, and what tasks brought elsewhere counts for more than they do.

    Raises InputError where no task can be made of such samples, or one has to be chosen and no labels are
    there.

    >>> pool = Domain(torch.randint(256, (40, 8, 8), dtype=torch.uint8))
    >>> made = pretrain(pool, "rotation", budget=0.1)
    >>> made.backbone.pretrained, made.backbone.name
    (True, 'small convnet')
    """
    training = training or Training()
    must_be_several(pool)
    must_be_time(budget)  # before a trial of every task
    network = fresh_network(pool) if backbone is None else open_backbone(backbone, domain=pool)
    if not network.preprocessing.fitted:
        network = network.prepared_by(network.preprocessing.fit(pool.x))
    if not network.pretrained:
        with luck_of(training.seed):
            network = beginning(network)  # every task begins with these weights, and is judged against them
    watch = Watch.of(pool, labelled, network, training)
    plain = pool.unlabelled()

    def made(recipe: Pretext, seconds: float | None) -> Pretrained:
        return recipe.pretrain(plain, network, training, budget=seconds, watch=watch)

    if task != AUTO:
        recipe = task if isinstance(task, Pretext) else pretext_named(task)()
        done = made(recipe, budget)
        return Pretraining(done, _judged(done, network, labelled, metric, training), collapse(done.history))
    if labelled is None:
        raise InputError("which task suits is told by few labels: give labelled samples, or name a task")
    recipes, left_out = _that_suit(watch.pool, labelled, network, training)
    tried = []
    for recipe in recipes:
        try:
            trial = made(recipe, budget if len(recipes) == 1 else budget and TRIALS * budget / len(recipes))
        except InputError as reason:  # these samples, or this network, are none for it
            left_out.append((type(recipe).__name__, str(reason)))
            continue
        tried.append(Tried(trial, _probed(trial, labelled, training)))
    if not tried:
        raise InputError(f"no task suits these samples ({_told(left_out)}): name one to see why")
    name = metric_named(metric, labelled.asked)
    pictures = kind_of_prepared(watch.pool) == PIXELS and isinstance(labelled.output, Classes)
    known = pictures and not network.pretrained
    taken = promising(tried, _before(network, labelled, training), name, known)
    done, trials = taken.made, tuple(tried) if len(recipes) > 1 else ()
    if budget is not None and trials:
        done = made(taken.made.task, (1 - TRIALS) * budget)
    choice = _judged(done, network, labelled, metric, training, trials, tuple(left_out))
    return Pretraining(done, choice, collapse(done.history))


def _that_suit(
    x: Tensor, labelled: Domain, network: Backbone, training: Training
) -> tuple[list[Pretext], list[tuple[str, str]]]:
    """The tasks that can be made of such prepared samples and do not contradict the labels; the others, and
    why."""
    kind, seen = kind_of_prepared(x), embed(network[:0], labelled, None, training.engine).x
    assert isinstance(seen, Tensor)
    suit, left_out = [], []
    for name, task in PRETEXTS.items():
        if kind not in task.takes:
            continue
        if task.in_order:
            left_out.append((name, "it takes samples in the order of time; name it if yours are"))
            continue
        recipe = task()
        try:
            recipe.must_take(x)
        except InputError as reason:
            left_out.append((name, str(reason)))
            continue
        against = contradictions(recipe, labelled, seen) if kind == PIXELS else []
        if against:
            left_out.append((name, "; ".join(map(str, against))))
        else:
            suit.append(recipe)
    if not suit:
        raise InputError(f"no task suits {kind} and these labels ({_told(left_out)}): name one all the same")
    return suit, left_out


def _told(left_out: list[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in left_out)


def _probed(made: Pretrained, labelled: Domain, training: Training) -> Result:
    told = f"after {type(made.task).__name__}"
    return probe_judged(labelled, made.backbone, CrossValidation(seed=training.seed), training, told)


def _before(network: Backbone, labelled: Domain, training: Training) -> Result:
    told = "before" if network.pretrained else "random weights"
    return probe_judged(labelled, network, CrossValidation(seed=training.seed), training, told)


def _judged(
    made: Pretrained,
    network: Backbone,
    labelled: Domain | None,
    metric: str | None,
    training: Training,
    tried: tuple[Tried, ...] = (),
    left_out: tuple[tuple[str, str], ...] = (),
) -> PretextChoice | None:
    """What the probe says of what was made, beside what it says of what cost nothing."""
    if labelled is None:
        return None
    judge = CrossValidation(seed=training.seed)
    raw = probe_judged(labelled, raw_network(labelled), judge, training)
    baselines = raw, _before(network, labelled, training)
    seen = embed(network[:0], labelled, None, training.engine).x
    assert isinstance(seen, Tensor)
    against = contradictions(made.task, labelled, seen) if kind_of_prepared(seen) == PIXELS else []
    return PretextChoice(
        baselines,
        tried,
        Tried(made, _probed(made, labelled, training)),
        metric_named(metric, labelled.asked),
        judge.describe(labelled),
        left_out,
        tuple(against),
    )


def raw_network(domain: Domain) -> Backbone:
    """The samples as they are, as a backbone: what a probe sees without any network."""
    return pixels() if kind_of(domain.x) == "images" else open_backbone(domain=domain)


def fresh_network(pool: Domain) -> Backbone:
    """A small network with random weights for such samples."""
    kind = kind_of(pool.x)
    if kind == "images":
        small = max(max(size) for size in sizes_of(pool.x)) <= SMALL_PICTURE
        side = 32 if small else LARGE_PICTURE
        return small_convnet((side, side))
    if kind == "texts":
        return small_text(Tokens().fit(pool.x))
    given = {"vectors": vectors, "table": table, "sparse": words}[kind]()
    rule = given.preprocessing.fit(pool.x)
    return small_mlp(rule(pool.x[torch.arange(1)]).shape[1], (256, 128)).prepared_by(rule)
