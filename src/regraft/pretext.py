"""What a pretext task is: a recipe that makes a backbone of unlabelled samples."""

import copy
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, final

import torch
from torch import Tensor

from .augmentation import pixels_in
from .backbone import Backbone
from .domain import Domain
from .engine import Engine, luck_of
from .errors import InputError
from .features import embed
from .method import param
from .problem import Problem
from .progress import Silent
from .provenance import origin
from .recipe import Recipe
from .samples import describe
from .schedule import Mode, Schedule
from .surgery import draw_anew
from .text import seconds_text
from .trained import Network, Turn
from .training import History, Phase, Step, Terms, Training, minimise, run_key

TIMED, WARM = 5, 3  # steps that tell how long a step takes, after those that warm up
LOOKS, LOOKING = 10, 0.25  # at a network that learns: how many, and their share of a budget at the most
TOLD = re.compile(r"([1-9]\d{0,9}) ([1-9]\d?)")
PIXELS, VECTORS, TOKENS = "pixels", "vectors", "tokens"


@final
@dataclass(frozen=True, eq=False)
class Pretrained:
    """A backbone that learned from unlabelled samples, and how it did.

    task: the recipe. steps: how many there were. history: the terms, and what was watched. seconds: of the
    training.
    """

    backbone: Backbone
    task: "Pretext"
    steps: int
    history: History
    seconds: float

    def __str__(self) -> str:
        named = {name: None for _, told in self.history.watched for name in told}
        took = seconds_text(self.seconds)
        unit = "" if "min" in took else " s"
        lines = [f"{type(self.task).__name__}: {self.steps:,} steps in {took}{unit}"]
        for step, told in self.history.watched:
            shown = ", ".join(f"{name} {told[name]:.3g}" for name in named if name in told)
            lines.append(f"  step {step:,}: {shown}")
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Pretext(Recipe, ABC):
    """min_{η,β} (1/n) Σ ℓ(h_β(φ_η(t(x))), what is known of t)  over unlabelled x and changes t of them

    A recipe: `pretrain` never changes it. What φ has to know to solve the task is what it is good for
    afterwards; h, and whatever else learns beside φ, is left behind.

    takes: what samples have to be, once they are prepared. blind_to: what φ learns not to see, or is shown
    wrongly, of `contradiction.SIGHTS`: where the labels are about that, the task does harm.
    in_order: whether samples have to be in the order of time, which nothing about them shows.
    usual: by how much, in shares of samples, a probe on its features is ahead of one on random features, of
    small photographs after half a minute or one of a processor, as found on one to five draws of them:
    what is expected of pictures where few labels tell little.
    reference: where it comes from. map: the rows of the project's map that it serves.
    """

    takes: ClassVar[frozenset[str]] = frozenset({PIXELS})
    blind_to: ClassVar[tuple[str, ...]] = ()
    in_order: ClassVar[bool] = False
    usual: ClassVar[float] = 0.0
    reference: ClassVar[str] = ""
    map: ClassVar[tuple[str, ...]] = ()

    epochs: int = param(30, "passes over the samples", search=(10, 30, 100))
    least_steps: int = param(300, "steps at the least, however few the samples", search=(100, 300, 1000))
    batch_size: int = param(128, "samples in a step", search=(64, 128, 256))
    rate: float = param(2e-3, "learning rate at its height", search=(5e-4, 1e-3, 2e-3))
    slower: float = param(
        0.1, "the rate of a network that is pretrained already, in units of `rate`", search=(0.03, 0.1, 0.3)
    )
    weight_decay: float = param(1e-2, "decay of the weights, as AdamW has it", search=(0.0, 1e-3, 1e-2))
    shape: Literal["cosine", "one cycle"] = param(
        "one cycle", "how rates rise and fall", search=("cosine", "one cycle")
    )

    @property
    def unseen(self) -> tuple[str, ...]:
        """What φ learns not to see with these hyper-parameters."""
        return self.blind_to

    @abstractmethod
    def start(self, backbone: Backbone, x: Tensor) -> Network:
        """The network before the first step; x: the prepared samples; `backbone` is free to be trained."""

    @abstractmethod
    def objective(self, network: Network, step: Step) -> Terms:
        """What is minimised on a batch (`batch_of`): named terms, already weighted."""

    def turns(self, network: Network) -> list[Turn]:
        """What a step consists of, in order; most tasks have one objective."""
        return [Turn(self.objective)]

    def schedule(self, stages: int, rate: float) -> Callable[[float], Sequence[Mode]]:
        """The mode of every stage and of the head, from progress; all learn from the start.

        rate: that of the stages at its height.
        """
        return Schedule(self.rate, rate, (0.0,) * stages, shape=self.shape, statistics=True)

    def drawn_from(self, pool: Domain, training: Training) -> Domain:
        """What batches are drawn from: the prepared samples, unless the task is made of some or of pairs."""
        return pool

    def after_step(self, network: Network, step: Step) -> None:
        """What no gradient changes and has to follow, such as a teacher."""
        return

    @final
    def pretrain(
        self,
        pool: Domain,
        backbone: Backbone,
        training: Training | None = None,
        *,
        budget: float | None = None,
        watch: Callable[[Backbone], dict[str, float]] | None = None,
    ) -> Pretrained:
        """The backbone, trained on the pool: from random weights, or on from what it has learned.

        budget: seconds of training instead of `epochs`; how many steps these are is measured, which counts,
        and so do looks at the backbone: a quarter of them at the most, where two fit into that. watch: what
        is to be told of the backbone ten times on the way (less often where that takes long), and before the
        first step; it changes nothing.

        Raises InputError where the samples are none that the task can be made of, where the backbone has no
        weights, and where training diverges.
        """
        training = (training or Training()).of_steps()
        if pool.y is not None:
            raise InputError("the pool has labels, of which nothing is learned here: pass pool.unlabelled()")
        if not any(True for _ in backbone.parameters()):
            raise InputError(
                f"{backbone.name} has no weights that could learn: leave it out, or name a network"
            )
        must_be_several(pool)
        must_be_time(budget)
        if not backbone.preprocessing.fitted:
            backbone = backbone.prepared_by(backbone.preprocessing.fit(pool.x))
        seen = embed(backbone[:0], pool, None, training.engine, training.progress)
        assert isinstance(seen.x, Tensor)
        self.must_take(seen.x)
        drawn = self.drawn_from(seen.with_(views=None), training)
        if self.batch_size < 2:
            raise InputError(
                f"batch_size is {self.batch_size}: samples are told apart in a step, give 2 or more"
            )
        problem = Problem(unlabelled=drawn)
        key = run_key({**self.recipe(), "task": type(self).__name__}, problem, backbone, training)
        network = self._started(backbone, seen.x, training)
        looking = None if watch is None else lambda: watch(network.backbone)
        steps, looks = self.steps(len(drawn)), LOOKS
        if budget is not None:
            steps, looks = self._within(budget, problem, network, training, key, looking)
        started = time.perf_counter()
        history = minimise(
            self._phases(network, training.engine),
            problem,
            training,
            steps=steps,
            batch_size=self.batch_size,
            watch=looking,
            validate_every=max(1, steps // looks),
            after_step=lambda step: self.after_step(network, step),
            key=f"{key}-{steps}",
        )
        seconds = time.perf_counter() - started
        if not all(p.isfinite().all() for p in network.backbone.parameters()):
            raise InputError(
                f"{type(self).__name__} diverged: what it learned holds NaN or infinity; give a lower rate, "
                "or look for samples that hold such numbers"
            )
        learned = network.backbone.cpu().to(memory_format=torch.contiguous_format).eval()
        made = learned.rewired(list(zip(learned.names, learned.stages, strict=True)))
        made.pretrained = True
        made.licence = backbone.licence if backbone.pretrained else "that of the samples it learned from"
        made.source = f"{type(self).__name__} on {describe(pool.x)}"
        past = origin(Problem(unlabelled=pool), backbone)
        told = {"method": type(self).__name__, "recipe": self.recipe(), "seed": training.seed}
        seen_there = {name: past[name] for name in ("samples", "data", "network")}
        made.ancestors = (*backbone.ancestors, {**told, "steps": steps, **seen_there})
        return Pretrained(made, self, steps, history, seconds)

    def must_take(self, x: Tensor) -> None:
        """InputError where prepared samples are none that the task can be made of."""
        if kind_of_prepared(x) not in self.takes:
            raise InputError(
                f"{type(self).__name__} is made of {' or '.join(sorted(self.takes))}, and the samples are "
                f"{kind_of_prepared(x)} once they are prepared: take another task (regraft pretrain --help)"
            )

    def steps(self, n: int) -> int:
        """How many steps n samples are worth."""
        return max(self.least_steps, self.epochs * (n // min(self.batch_size, n)))

    def _started(self, backbone: Backbone, x: Tensor, training: Training) -> Network:
        with luck_of(training.seed):
            network = self.start(beginning(backbone), x)
        network.backbone.old_head = None  # it belongs to the features as they were
        return network

    def _phases(self, network: Network, engine: Engine) -> list[Phase]:
        stages = len(network.backbone)
        rate = self.rate * (self.slower if network.backbone.pretrained else 1.0)
        schedule = self.schedule(stages, rate)

        def phase(turn: Turn) -> Phase:
            def objective(step: Step) -> Terms:
                seen = step.batch.mapped(lambda d: d.with_(x=engine.lay_out(tensor_of(d))))
                return turn.objective(network, replace(step, batch=seen))

            modes = lambda progress: turn.modes(network, schedule(progress))  # noqa: E731
            return Phase(objective, network.parts, modes, self.weight_decay, turn.repeats, turn.momentum)

        return [phase(turn) for turn in self.turns(network)]

    def _within(
        self,
        budget: float,
        problem: Problem,
        network: Network,
        training: Training,
        key: str,
        watch: Callable[[], dict[str, float]] | None,
    ) -> tuple[int, int]:
        """How many steps, and looks at the network on the way, so many seconds are.

        A few steps that are thrown away tell it, and count, but half of the budget is left at the least; a
        run that was begun knows.
        """
        file = training.checkpoints and training.checkpoints / f"{key}-{budget:g}.steps"
        if file is not None and file.is_file() and (told := TOLD.fullmatch(file.read_text())):
            return int(told[1]), int(told[2])
        begun = time.perf_counter()
        trial = copy.deepcopy(network)
        quick = replace(training, checkpoints=None, progress=Silent())
        for steps in (WARM, TIMED):
            start = time.perf_counter()
            minimise(
                self._phases(trial, training.engine), problem, quick, steps=steps, batch_size=self.batch_size
            )
        each, look = (time.perf_counter() - start) / TIMED, 0.0
        if watch is not None:
            watch()  # the first one is slower than all that follow
            start = time.perf_counter()
            watch()
            look = time.perf_counter() - start
        looks = max(1, min(LOOKS, int(LOOKING * budget / max(look, 1e-9)) - 1))
        left = max(budget / 2, budget - (time.perf_counter() - begun) - (looks + 1) * look)
        found = max(1, int(left / each))
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_suffix(".partial")
            partial.write_text(f"{found} {looks}")
            partial.replace(file)
        return found, looks


def beginning(backbone: Backbone) -> Backbone:
    """A copy of what is to learn; where it has learned nothing yet, with weights that are drawn now.

    >>> from regraft.backbones import small_mlp
    >>> given = small_mlp(3, seed=7)
    >>> beginning(given).fingerprint() == given.fingerprint()
    False
    """
    own = backbone.copied()
    if not own.pretrained:
        draw_anew(own)
    return own


def must_be_several(pool: Domain) -> None:
    """InputError for a pool of which nothing can be learned."""
    if len(pool) < 2:
        raise InputError(f"the pool has {len(pool)} samples: give at least 2, and better thousands")


def must_be_time(budget: float | None) -> None:
    """InputError for a budget in which nothing can be learned."""
    if budget is not None and not budget > 0:
        raise InputError(f"the budget is {budget:g} seconds: give more than none, or leave it out")


def kind_of_prepared(x: Tensor) -> str:
    """What prepared samples are: pixels, vectors or tokens.

    >>> kind_of_prepared(torch.zeros(2, 3, 8, 8, dtype=torch.uint8)), kind_of_prepared(torch.zeros(2, 5))
    ('pixels', 'vectors')
    """
    if pixels_in(x):
        return PIXELS
    return VECTORS if x.is_floating_point() else TOKENS


def tensor_of(domain: Domain) -> Tensor:
    """The samples of a domain that was prepared."""
    assert isinstance(domain.x, Tensor)
    return domain.x


@torch.no_grad()
def width_of(backbone: Backbone, x: Tensor) -> int:
    """How many features the backbone gives of such samples."""
    width = backbone.eval()(x[:2]).flatten(1).shape[1]
    return int(width)


def batch_of(step: Step) -> Tensor:
    """The batch of unlabelled samples."""
    return tensor_of(step.batch.domains["unlabelled"])
