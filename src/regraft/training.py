"""The one training loop: draw a batch of every domain, minimise the sum of the named terms."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .averaging import MovingAverage, put_back, states_of
from .backbone import Backbone
from .checkpoint import Checkpoint, History, Run, Terms
from .domain import Domain
from .engine import Engine, luck_of, usual_engine
from .problem import Problem
from .processes import Processes
from .progress import Progress, Silent
from .samples import digests
from .schedule import Mode, chosen
from .seeds import seed_of

__all__ = ["History", "Phase", "Step", "Terms", "Training", "minimise", "run_key"]

MOMENTUM = 0.9  # β₁ of Adam, unless a phase says otherwise


@dataclass(frozen=True)
class Training:
    """How a recipe is carried out: what may differ between two runs of the same recipe.

    engine: device, precision and layout. step_engine: the same for training steps, where another is faster
    (`fastest_training_engine`). checkpoints: a folder in which a killed run finds itself again, and
    a finished one its result; whoever names the folder deletes it. save_every: seconds between two
    checkpoints; 0 saves after every step.
    """

    seed: int = 0
    engine: Engine = field(default_factory=Engine)
    step_engine: Engine | None = None
    checkpoints: Path | None = None
    save_every: float = 10.0
    progress: Progress = field(default_factory=Silent)

    def of_steps(self) -> "Training":
        """The same with the engine of training steps: where none is asked for, what usually is fastest."""
        asked = self.engine != Engine(self.engine.device)
        usual = self.engine if asked else usual_engine(self.engine.device)
        return replace(self, engine=self.step_engine or usual)


@dataclass(frozen=True)
class Step:
    """What an objective sees: a mini-batch of every domain, and how far training is, from 0 to 1.

    What it notes is not minimised, but recorded beside the terms. weak: the target's batch once more, changed
    little or not at all, where the recipe compares two views of it.
    """

    batch: Problem
    progress: float
    weak: Tensor | None = None
    noted: Terms = field(default_factory=dict)

    def note(self, name: str, value: Float[Tensor, ""] | float) -> None:
        self.noted[name] = torch.as_tensor(value, dtype=torch.float32).detach()


@dataclass(frozen=True)
class Phase:
    """Minimise `objective` over `parts`, `repeats` times per step, with Adam's β₁ = `momentum`.

    schedule: from progress in [0, 1) to the mode of each part: a pure function, applied at every step, so
    that a resumed run, or one that early stopping steps back, cannot be in another state than it says.
    """

    objective: Callable[[Step], Terms]
    parts: Sequence[nn.Module]
    schedule: Callable[[float], Sequence[Mode]]
    weight_decay: float = 0.0
    repeats: int = 1
    momentum: float = MOMENTUM


def minimise(
    phases: Sequence[Phase],
    problem: Problem,
    training: Training,
    *,
    steps: int,
    batch_size: int,
    validate: Callable[[], float] | None = None,
    validate_every: int = 1,
    watch: Callable[[], dict[str, float]] | None = None,
    averaged: int = 0,
    after_step: Callable[[Step], None] | None = None,
    key: str = "",
) -> History:
    """Run the phases in turn, `steps` times, on batches of `problem`, and step back to the best moment.

    All parameters are in the optimiser (AdamW) from the start; those of a frozen part get no gradient and no
    weight decay, and its BatchNorm statistics stand still. Where `validate` is given it is asked every
    `validate_every` steps (and before the first), and the parts end as they were when it was lowest: the
    selection of a moment, which never bends the schedule. `watch` is asked as often, and what it tells
    is kept in the history, but selects nothing. `averaged` steps are the memory of a moving average
    of the weights: it is what is then validated and what the parts end as, while training goes on from the
    weights themselves. `after_step` is called after every step, of which it sees the last batch; what it
    changes belongs to a part, so that checkpoints hold it.

    Batches and dropout are pure functions of the seed and the step, and each domain's stream is seeded by
    itself, so a run that was killed goes on from its checkpoint (`key` names it) to the same bits.

    Where `torch.distributed` is initialised, every process calls this with the same arguments and takes its
    share of each batch; gradients are summed, so all end with the same parameters, those of one process up to
    rounding. The first one writes the checkpoints. Dropout is drawn by each process for its own rows.
    """
    parts = list({id(part): part for phase in phases for part in phase.parts}.values())
    pictures = any(isinstance(d.x, Tensor) and d.x.ndim == 4 for d in problem.domains.values())
    for part in parts:
        training.engine.settle(part, pictures)
    optimisers = [_optimiser(phase) for phase in phases]
    processes = Processes.here()
    run = Run(parts, optimisers, MovingAverage(parts, averaged) if averaged else None)
    checkpoint = None if training.checkpoints is None or not key else _checkpoint(training.checkpoints, key)
    start = 0 if checkpoint is None else checkpoint.read(run)
    processes.wait()  # nobody writes before all have read
    saved_at = time.monotonic()
    standing: dict[int, Mode] = {}
    with training.progress.track("training", steps) as task:
        task.advance(start)
        for i in range(start, steps + 1):
            if validate is not None and (i % validate_every == 0 or i == steps):
                with nullcontext() if run.average is None or i == 0 else run.average.standing_in():
                    _keep_the_best(run, i, validate())
                standing.clear()  # a validation puts all parts into the mode of evaluation
            if watch is not None and (i % validate_every == 0 or i == steps):
                if i not in [step for step, _ in run.history.watched]:
                    run.history.watched.append((i, watch()))
                standing.clear()
            if i == steps:
                break
            batch, share = processes.part(_batch_of(problem, batch_size, training.seed, i))
            step = Step(batch, progress=i / steps)
            for number, (phase, optimiser) in enumerate(zip(phases, optimisers, strict=True)):
                if len(phases) > 1:
                    standing.clear()  # phases put the same parts into different modes
                _apply(phase, optimiser, step.progress, standing)
                for repeat in range(phase.repeats):
                    luck = luck_of(seed_of(training.seed, "step", i, number, repeat))
                    with luck, training.engine.autocast():
                        terms = phase.objective(step)
                        total = torch.stack(list(terms.values())).sum()
                    optimiser.zero_grad(set_to_none=True)
                    if total.requires_grad:
                        total.backward()
                        learning = [p for group in optimiser.param_groups for p in group["params"]]
                        processes.summed([p.grad for p in learning if p.grad is not None], share)
                        optimiser.step()
                    told = {name: term.detach().clone() for name, term in terms.items()}
                    processes.summed([*told.values(), *step.noted.values()], share)
                    run.history.record(told, step.noted)
                    step.noted.clear()
            if after_step is not None:
                with torch.no_grad():
                    after_step(step)
            if run.average is not None:
                run.average.take(i + 1)
            task.advance(1)
            due = time.monotonic() - saved_at >= training.save_every
            if checkpoint is not None and processes.first and due:
                checkpoint.write(run, i + 1)
                saved_at = time.monotonic()
    if checkpoint is not None and processes.first and start < steps:
        checkpoint.write(run, steps)
    if run.best is not None:
        put_back(run.best, parts)
    elif run.average is not None:
        put_back(run.average.states, parts)
    for part in parts:
        part.requires_grad_(True).eval()
    return run.history


def run_key(recipe: dict[str, Any], problem: Problem, backbone: Backbone, training: Training) -> str:
    """A name for this run: equal only if recipe, network, seed, engine and all known of the samples are."""
    seen = hashlib.blake2b(digest_size=16)
    seen.update(json.dumps([recipe, training.seed, training.engine.to_json()], sort_keys=True).encode())
    seen.update(backbone.fingerprint().encode())
    if backbone.old_head is not None:
        seen.update(backbone.old_head.fingerprint().encode())
    for role, domain in problem.domains.items():
        seen.update(role.encode() + b"".join(digests(domain.x)))
        for name, column in domain.columns().items():
            seen.update(name.encode() + column.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return seen.hexdigest()


def _checkpoint(folder: Path, key: str) -> Checkpoint:
    return Checkpoint(folder / f"{key}.safetensors")


def _optimiser(phase: Phase) -> torch.optim.Optimizer:
    groups = [{"params": list(part.parameters())} for part in phase.parts]
    filled = [group if group["params"] else {"params": [nn.Parameter(torch.zeros(0))]} for group in groups]
    betas = phase.momentum, 0.999
    return torch.optim.AdamW(filled, lr=0.0, betas=betas, weight_decay=phase.weight_decay, fused=True)


def _apply(
    phase: Phase, optimiser: torch.optim.Optimizer, progress: float, standing: dict[int, Mode]
) -> None:
    """Put every part into the mode that the schedule says for now.

    standing: the modes that parts are in, but for the rate. To walk through all modules of a network of some
    hundred takes a tenth of a step, so it is done only where something changes.
    """
    modes = phase.schedule(progress)
    for part, group, mode in zip(phase.parts, optimiser.param_groups, modes, strict=True):
        group["lr"] = mode.rate
        same = replace(mode, rate=0.0)
        if standing.get(id(part)) == same:
            continue
        standing[id(part)] = same
        part.requires_grad_(False).train(mode.trainable)
        if mode.trainable:
            for parameter in chosen(part, mode.which):
                parameter.requires_grad_(True)
        if not mode.statistics:
            for module in part.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()


def _keep_the_best(run: Run, step: int, loss: float) -> None:
    """Note the loss, and the parts as they are if it was never lower."""
    history = run.history
    lowest = min((seen for _, seen in history.validation), default=float("inf"))
    if (step, loss) not in history.validation:
        history.validation.append((step, loss))
    if loss < lowest or run.best is None:
        history.best_step = step
        run.best = states_of(run.parts)


def _batch_of(problem: Problem, size: int, seed: int, step: int) -> Problem:
    return problem.mapped_by_role(lambda role, domain: _batch(domain, size, seed, role, step))


def _batch(domain: Domain, size: int, seed: int, role: str, step: int) -> Domain:
    """Batch number `step` of an endless shuffled stream: every sample once before any comes again."""
    n = len(domain)
    size = min(size, n)
    positions = torch.arange(step * size, (step + 1) * size)
    rows = torch.empty(size, dtype=torch.long)
    for epoch in (positions // n).unique().tolist():
        generator = torch.Generator().manual_seed(seed_of(seed, role, epoch))
        order: Int[Tensor, " n"] = torch.randperm(n, generator=generator)
        here = positions // n == epoch
        rows[here] = order[positions[here] % n]
    return domain[rows]
