"""The one training loop: draw a batch of every domain, minimise the sum of the named terms."""

import hashlib
import json
import time
import uuid
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from .backbone import Backbone
from .domain import Domain
from .engine import Engine
from .problem import Problem
from .processes import Processes
from .progress import Progress, Silent
from .samples import digests
from .schedule import Mode, chosen

Terms = dict[str, Float[Tensor, ""]]


@dataclass(frozen=True)
class Training:
    """How a recipe is carried out: what may differ between two runs of the same recipe.

    engine: device, precision and layout. checkpoints: a folder in which a killed run finds itself again, and
    a finished one its result; whoever names the folder deletes it. save_every: seconds between two
    checkpoints; 0 saves after every step.
    """

    seed: int = 0
    engine: Engine = field(default_factory=Engine)
    checkpoints: Path | None = None
    save_every: float = 10.0
    progress: Progress = field(default_factory=Silent)


@dataclass(frozen=True)
class Step:
    """What an objective sees: a mini-batch of every domain, and how far training is, from 0 to 1."""

    batch: Problem
    progress: float


@dataclass(frozen=True)
class Phase:
    """Minimise `objective` over `parts`, `repeats` times per step.

    schedule: from progress in [0, 1) to the mode of each part: a pure function, applied at every step, so
    that a resumed run, or one that early stopping steps back, cannot be in another state than it says.
    """

    objective: Callable[[Step], Terms]
    parts: Sequence[nn.Module]
    schedule: Callable[[float], Sequence[Mode]]
    weight_decay: float = 0.0
    repeats: int = 1


@dataclass
class History:
    """Every term at every step, the validation losses, and the step the result was taken from."""

    terms: dict[str, list[float]] = field(default_factory=dict)
    validation: list[tuple[int, float]] = field(default_factory=list)
    best_step: int = 0

    def record(self, terms: Terms) -> None:
        for name, value in terms.items():
            self.terms.setdefault(name, []).append(value.item())


def minimise(
    phases: Sequence[Phase],
    problem: Problem,
    training: Training,
    *,
    steps: int,
    batch_size: int,
    validate: Callable[[], float] | None = None,
    validate_every: int = 1,
    key: str = "",
) -> History:
    """Run the phases in turn, `steps` times, on batches of `problem`, and step back to the best moment.

    All parameters are in the optimiser (AdamW) from the start; those of a frozen part get no gradient and no
    weight decay, and its BatchNorm statistics stand still. Where `validate` is given it is asked every
    `validate_every` steps (and before the first), and the parts end as they were when it was lowest: the
    selection of a moment, which never bends the schedule.

    Batches and dropout are pure functions of the seed and the step, and each domain's stream is seeded by
    itself, so a run that was killed goes on from its checkpoint (`key` names it) to the same bits.

    Where `torch.distributed` is initialised, every process calls this with the same arguments and takes its
    share of each batch; gradients are summed, so all end with the same parameters, those of one process up to
    rounding. The first one writes the checkpoints. Dropout is drawn by each process for its own rows.
    """
    parts = list({id(part): part for phase in phases for part in phase.parts}.values())
    for part in parts:
        part.to(training.engine.device)
    optimisers = [_optimiser(phase) for phase in phases]
    processes = Processes.here()
    history = History()
    best: list[dict[str, Tensor]] | None = None
    checkpoint = _Checkpoint.of(training, key)
    start = 0
    if checkpoint is not None and (found := checkpoint.read(parts, optimisers)):
        start, history, best = found
    processes.wait()  # nobody writes before all have read
    saved_at = time.monotonic()
    with training.progress.track("training", steps) as task:
        task.advance(start)
        for i in range(start, steps + 1):
            if validate is not None and (i % validate_every == 0 or i == steps):
                best = _keep_the_best(history, best, parts, i, validate())
            if i == steps:
                break
            batch, share = processes.part(_batch_of(problem, batch_size, training.seed, i))
            step = Step(batch, progress=i / steps)
            for number, (phase, optimiser) in enumerate(zip(phases, optimisers, strict=True)):
                _apply(phase, optimiser, step.progress)
                for repeat in range(phase.repeats):
                    with torch.random.fork_rng(), training.engine.autocast():
                        torch.manual_seed(mixed(training.seed, "step", i, number, repeat))
                        terms = phase.objective(step)
                        total = torch.stack(list(terms.values())).sum()
                    optimiser.zero_grad(set_to_none=True)
                    if total.requires_grad:
                        total.backward()
                        learning = [p for group in optimiser.param_groups for p in group["params"]]
                        processes.summed([p.grad for p in learning if p.grad is not None], share)
                        optimiser.step()
                    told = {name: term.detach().clone() for name, term in terms.items()}
                    processes.summed(list(told.values()), share)
                    history.record(told)
            task.advance(1)
            due = time.monotonic() - saved_at >= training.save_every
            if checkpoint is not None and processes.first and due:
                checkpoint.write(parts, optimisers, i + 1, history, best)
                saved_at = time.monotonic()
    if checkpoint is not None and processes.first and start < steps:
        checkpoint.write(parts, optimisers, steps, history, best)
    if best is not None:
        for part, state in zip(parts, best, strict=True):
            part.load_state_dict(state)
    for part in parts:
        part.requires_grad_(True).eval()
    return history


def run_key(recipe: dict[str, Any], problem: Problem, backbone: Backbone, training: Training) -> str:
    """A name for this run: equal only if recipe, network, seed, engine and all known of the samples are."""
    seen = hashlib.blake2b(digest_size=16)
    seen.update(json.dumps([recipe, training.seed, training.engine.to_json()], sort_keys=True).encode())
    seen.update(backbone.fingerprint().encode())
    for role, domain in problem.domains.items():
        seen.update(role.encode() + b"".join(digests(domain.x)))
        for name, column in domain.columns().items():
            seen.update(name.encode() + column.contiguous().numpy().tobytes())
    return seen.hexdigest()


def _optimiser(phase: Phase) -> torch.optim.Optimizer:
    groups = [{"params": list(part.parameters())} for part in phase.parts]
    filled = [group if group["params"] else {"params": [nn.Parameter(torch.zeros(0))]} for group in groups]
    return torch.optim.AdamW(filled, lr=0.0, weight_decay=phase.weight_decay)


def _apply(phase: Phase, optimiser: torch.optim.Optimizer, progress: float) -> None:
    """Put every part into the mode that the schedule says for now."""
    modes = phase.schedule(progress)
    for part, group, mode in zip(phase.parts, optimiser.param_groups, modes, strict=True):
        group["lr"] = mode.rate
        part.requires_grad_(False).train(mode.trainable)
        if mode.trainable:
            for parameter in chosen(part, mode.which):
                parameter.requires_grad_(True)
        if not mode.statistics:
            for module in part.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()


def _keep_the_best(
    history: History, best: list[dict[str, Tensor]] | None, parts: list[nn.Module], step: int, loss: float
) -> list[dict[str, Tensor]] | None:
    lowest = min((seen for _, seen in history.validation), default=float("inf"))
    if (step, loss) not in history.validation:
        history.validation.append((step, loss))
    if loss < lowest or best is None:
        history.best_step = step
        return [{k: v.detach().clone() for k, v in part.state_dict().items()} for part in parts]
    return best


def _batch_of(problem: Problem, size: int, seed: int, step: int) -> Problem:
    return problem.mapped_by_role(lambda role, domain: _batch(domain, size, seed, role, step))


def _batch(domain: Domain, size: int, seed: int, role: str, step: int) -> Domain:
    """Batch number `step` of an endless shuffled stream: every sample once before any comes again."""
    n = len(domain)
    size = min(size, n)
    positions = torch.arange(step * size, (step + 1) * size)
    rows = torch.empty(size, dtype=torch.long)
    for epoch in (positions // n).unique().tolist():
        generator = torch.Generator().manual_seed(mixed(seed, role, epoch))
        order: Int[Tensor, " n"] = torch.randperm(n, generator=generator)
        here = positions // n == epoch
        rows[here] = order[positions[here] % n]
    return domain[rows]


def mixed(*parts: object) -> int:
    """A seed from anything, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=7).digest(), "big")


@dataclass(frozen=True)
class _Checkpoint:
    """Where a run keeps what it needs to go on: one safetensors file, replaced whole."""

    file: Path

    @classmethod
    def of(cls, training: Training, key: str) -> "_Checkpoint | None":
        if training.checkpoints is None or not key:
            return None
        return cls(training.checkpoints / f"{key}.safetensors")

    def write(
        self,
        parts: list[nn.Module],
        optimisers: list[torch.optim.Optimizer],
        step: int,
        history: History,
        best: list[dict[str, Tensor]] | None,
    ) -> None:
        tensors: dict[str, Tensor] = {}
        for i, part in enumerate(parts):
            tensors.update({f"part {i} {k}": v for k, v in part.state_dict().items()})
        for i, state in enumerate(best or []):
            tensors.update({f"best {i} {k}": v for k, v in state.items()})
        for i, optimiser in enumerate(optimisers):
            for j, slots in optimiser.state_dict()["state"].items():
                tensors.update({f"optimiser {i} {j} {k}": v for k, v in slots.items()})
        # a copy of each: parts and the best moment may share memory, which safetensors refuses
        copies = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
        told = {"step": str(step), "history": json.dumps(vars(history))}
        content = save(copies, {**told, "checksum": _checksum(copies, told)})
        partial = self.file.with_suffix(f".{uuid.uuid4().hex}.partial")  # two runs may be the same run
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(self.file)
        except OSError as reason:
            with suppress(OSError):
                partial.unlink()
            warnings.warn(
                f"no checkpoint can be written to {self.file.parent} ({reason.strerror}): if this run is "
                "interrupted, it starts again from the last one",
                stacklevel=3,
            )

    def read(
        self, parts: list[nn.Module], optimisers: list[torch.optim.Optimizer]
    ) -> tuple[int, History, list[dict[str, Tensor]] | None] | None:
        """Put the saved state back and say where it was; None, and aloud, where what is saved is damaged."""
        if not self.file.exists():
            return None
        try:
            with safe_open(self.file, "pt") as saved:
                tensors = {k: saved.get_tensor(k) for k in saved.keys()}  # noqa: SIM118 (no mapping)
                told = dict(saved.metadata() or {})
            if told.pop("checksum", None) != _checksum(tensors, told):
                raise ValueError("it does not have the checksum that it tells")
        except (OSError, SafetensorError, ValueError) as reason:
            warnings.warn(f"{self.file} is damaged ({reason}): training starts over", stacklevel=3)
            return None
        states: dict[tuple[str, int], dict[str, Tensor]] = {}
        for name, value in tensors.items():
            kind, number, rest = name.split(" ", 2)
            states.setdefault((kind, int(number)), {})[rest] = value
        for i, part in enumerate(parts):
            part.load_state_dict(states.get(("part", i), {}))
        for i, optimiser in enumerate(optimisers):
            slots: dict[int, dict[str, Tensor]] = {}
            for name, value in states.get(("optimiser", i), {}).items():
                number, slot = name.split(" ", 1)
                slots.setdefault(int(number), {})[slot] = value
            optimiser.load_state_dict({**optimiser.state_dict(), "state": slots})
        history = json.loads(told["history"])
        history["validation"] = [(step, loss) for step, loss in history["validation"]]
        best = [states.get(("best", i), {}) for i in range(len(parts))]
        kept = best if history["validation"] else None
        return int(told["step"]), History(**history), kept


def _checksum(tensors: dict[str, Tensor], told: dict[str, str]) -> str:
    """A hash of all that a checkpoint holds."""
    seen = hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16)
    for name in sorted(tensors):
        value = tensors[name]
        seen.update(f"{name}{value.dtype}{tuple(value.shape)}".encode())
        seen.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return seen.hexdigest()
