"""What a run of training needs to go on: one safetensors file, replaced whole."""

import hashlib
import json
import uuid
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from .averaging import MovingAverage, States, put_back

Terms = dict[str, Float[Tensor, ""]]


@dataclass
class History:
    """Every term at every step, what objectives noted, the validation losses, what was watched, and the step
    the result was taken from."""

    terms: dict[str, list[float]] = field(default_factory=dict)
    noted: dict[str, list[float]] = field(default_factory=dict)
    validation: list[tuple[int, float]] = field(default_factory=list)
    watched: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    best_step: int = 0

    def record(self, terms: Terms, noted: Terms) -> None:
        for kept, told in ((self.terms, terms), (self.noted, noted)):
            for name, value in told.items():
                kept.setdefault(name, []).append(value.item())

    @property
    def came_to_nothing(self) -> bool:
        """Whether no moment was better than the start."""
        return bool(self.validation) and self.best_step == 0

    @property
    def course(self) -> dict[str, list[float]]:
        """The mean over every tenth of training, of all terms and of what was noted.

        >>> History(terms={"risk": [4.0, 2.0]}, noted={"accuracy": [0.0, 1.0] * 10}).course
        {'risk': [4.0, 2.0], 'accuracy': [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]}
        """
        return {
            name: [float(f"{part.mean():.4g}") for part in np.array_split(values, min(10, len(values)))]
            for name, values in {**self.terms, **self.noted}.items()
        }


@dataclass
class Run:
    """A run at a moment: what it changes, and what it remembers."""

    parts: Sequence[nn.Module]
    optimisers: Sequence[torch.optim.Optimizer]
    average: MovingAverage | None = None
    history: History = field(default_factory=History)
    best: States | None = None


@dataclass(frozen=True)
class Checkpoint:
    """The file of a run."""

    file: Path

    def write(self, run: Run, step: int) -> None:
        """The run after so many steps; where that cannot be written, it is said."""
        tensors = {
            **_named("part", [part.state_dict() for part in run.parts]),
            **_named("best", run.best or []),
            **_named("average", run.average.states if run.average else []),
        }
        for i, optimiser in enumerate(run.optimisers):
            for j, slots in optimiser.state_dict()["state"].items():
                tensors.update({f"optimiser {i} {j} {k}": v for k, v in slots.items()})
        # a copy of each: parts and the best moment may share memory, which safetensors refuses
        copies = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
        told = {"step": str(step), "history": json.dumps(vars(run.history))}
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

    def read(self, run: Run) -> int:
        """Put the saved state into the run and say after which step that was.

        0 without a file, and, aloud, where what is saved is damaged.
        """
        if not self.file.exists():
            return 0
        try:
            with safe_open(self.file, "pt") as saved:
                tensors = {k: saved.get_tensor(k) for k in saved.keys()}  # noqa: SIM118 (no mapping)
                told = dict(saved.metadata() or {})
            if told.pop("checksum", None) != _checksum(tensors, told):
                raise ValueError("it does not have the checksum that it tells")
        except (OSError, SafetensorError, ValueError) as reason:
            warnings.warn(f"{self.file} is damaged ({reason}): training starts over", stacklevel=3)
            return 0
        states: dict[tuple[str, int], dict[str, Tensor]] = {}
        for name, value in tensors.items():
            kind, number, rest = name.split(" ", 2)
            states.setdefault((kind, int(number)), {})[rest] = value
        put_back([states.get(("part", i), {}) for i in range(len(run.parts))], run.parts)
        if run.average is not None:
            for i, mean in enumerate(run.average.states):
                for name, value in states.get(("average", i), {}).items():
                    mean[name].copy_(value)
        for i, optimiser in enumerate(run.optimisers):
            _restore(optimiser, states.get(("optimiser", i), {}))
        history = json.loads(told["history"])
        for course in ("validation", "watched"):
            history[course] = [(step, told) for step, told in history.get(course, [])]
        run.history = History(**history)
        if history["validation"]:
            run.best = [states.get(("best", i), {}) for i in range(len(run.parts))]
        return int(told["step"])


def _named(kind: str, states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {f"{kind} {i} {k}": v for i, state in enumerate(states) for k, v in state.items()}


def _restore(optimiser: torch.optim.Optimizer, saved: dict[str, Tensor]) -> None:
    """Put "number slot" -> tensor back, laid out in memory as its parameter is: fused steps rely on it."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    slots: dict[int, dict[str, Tensor]] = {}
    for name, value in saved.items():
        number, slot = name.split(" ", 1)
        like = parameters[int(number)]
        value = torch.empty_like(like, device="cpu").copy_(value) if value.shape == like.shape else value
        slots.setdefault(int(number), {})[slot] = value.detach()
    optimiser.load_state_dict({**optimiser.state_dict(), "state": slots})


def _checksum(tensors: dict[str, Tensor], told: dict[str, str]) -> str:
    """A hash of all that a checkpoint holds."""
    seen = hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16)
    for name in sorted(tensors):
        value = tensors[name]
        seen.update(f"{name}{value.dtype}{tuple(value.shape)}".encode())
        seen.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return seen.hexdigest()
