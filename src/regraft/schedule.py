"""Which parts of a network learn when, how fast, and in which mode: a pure function of progress."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, final

from torch import nn

from .errors import InputError

Which = Literal["all", "biases", "norms", "adapters", "nothing"]
Shape = Literal["cosine", "one cycle", "constant"]


@dataclass(frozen=True)
class Mode:
    """What a part of the network does at a moment.

    rate: the learning rate. trainable: whether it learns at all. statistics: whether BatchNorm takes the
    statistics of the batch and counts them, or stands by those it has. which: the parameters that learn;
    of "nothing" a part works as in training, dropout and all, while others learn.
    """

    rate: float
    trainable: bool = True
    statistics: bool = False
    which: Which = "all"


FROZEN = Mode(rate=0.0, trainable=False)


@final
@dataclass(frozen=True)
class Schedule:
    """progress p ∈ [0, 1) → the mode of every stage and of the head.

    Stage i of L, counted from the input, is frozen before s_i = starts[i] and learns from then on with the
    rate  stage_rate / slower^(L−1−i) · shape((p − s_i) / (1 − s_i)); a start of 1 is never. The head, the
    last part, learns from 0 on with head_rate · shape(p). So one object says frozen layers, head first,
    gradual unfreezing (starts that fall from stage to stage), discriminative rates (slower > 1) and the
    tuning of a stage in the middle. Nothing is remembered from step to step: a run that is resumed at p is
    in the mode of p.

    which: the parameters of the stages that learn; "biases" and "norms" (scales and shifts of normalisation)
    leave all others as they are, and so does "adapters", what a recipe added to the network. statistics:
    BatchNorm's, of stages that learn and of the head.

    >>> gradual = Schedule(1e-3, 1e-4, starts=(0.4, 0.2), slower=5.0)
    >>> [mode.trainable for mode in gradual(0.3)]
    [False, True, True]
    >>> print(gradual.table(["stem", "top"]))
    part  learns          at most  BatchNorm
    stem  from 40 %       2e-05    frozen
    top   from 20 %       1e-04    frozen
    head  from the start  1e-03    frozen
    """

    head_rate: float
    stage_rate: float
    starts: tuple[float, ...]
    slower: float = 1.0
    which: Which = "all"
    shape: Shape = "cosine"
    statistics: bool = False

    def __post_init__(self) -> None:
        if not all(0 <= start <= 1 for start in self.starts):
            raise InputError(f"stages start to learn at {self.starts}: give shares of training, from 0 to 1")
        if self.slower <= 0 or self.head_rate < 0 or self.stage_rate < 0:
            raise InputError(
                f"rates are {self.head_rate} and {self.stage_rate}, stages slower by {self.slower}: "
                "rates may not be negative, and the factor has to be above zero"
            )

    def __call__(self, progress: float) -> list[Mode]:
        return [*(self._stage(i, progress) for i in range(len(self.starts))), self._head(progress)]

    def highest(self, stage: int) -> float:
        """The rate of a stage at its height."""
        return self.stage_rate / self.slower ** (len(self.starts) - 1 - stage)

    def learning(self, parts: Sequence[nn.Module]) -> int:
        """How many parameters ever learn, of the stages and the head.

        >>> parts = [nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 1)]
        >>> Schedule(1e-3, 1e-4, starts=(1.0, 0.0), which="biases").learning(parts)
        5
        """
        *stages, head = parts
        learns = [
            p
            for stage, s in zip(stages, self.starts, strict=True)
            if s < 1
            for p in chosen(stage, self.which)
        ]
        return sum(p.numel() for p in {id(p): p for p in [*learns, *head.parameters()]}.values())

    def behind(self, frozen: int) -> "Schedule":
        """The same with so many more stages in front that never learn.

        >>> Schedule(1e-3, 1e-4, (0.0,)).behind(2).starts
        (1.0, 1.0, 0.0)
        """
        return replace(self, starts=(1.0,) * frozen + self.starts)

    def times(self, factor: float) -> "Schedule":
        """The same with all rates so many times as high."""
        return replace(self, head_rate=factor * self.head_rate, stage_rate=factor * self.stage_rate)

    @property
    def heights(self) -> list[Mode]:
        """Every part at its height, as if all were there at once.

        >>> [mode.rate for mode in Schedule(1e-3, 1e-4, (0.5, 1.0), slower=2.0).heights]
        [5e-05, 0.0, 0.001]
        """
        learning = [
            FROZEN if start == 1 else Mode(self.highest(i), True, self.statistics, self.which)
            for i, start in enumerate(self.starts)
        ]
        return [*learning, Mode(self.head_rate, True, self.statistics)]

    @property
    def boundaries(self) -> list[float]:
        """Where parts change between frozen and learning."""
        return sorted({start for start in self.starts if 0 < start < 1})

    def table(self, names: Sequence[str]) -> str:
        """A line for every stage and the head."""
        rows = [("part", "learns", "at most", "BatchNorm")]
        counted = "counted" if self.statistics else "frozen"
        only = "" if self.which == "all" else f" ({self.which})"
        for i, name in enumerate(names):
            if self.starts[i] == 1:
                rows.append((name, "never", "", "frozen"))
            else:
                rows.append((name, _since(self.starts[i]) + only, f"{self.highest(i):.0e}", counted))
        rows.append(("head", _since(0), f"{self.head_rate:.0e}", counted))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "starts": list(self.starts)}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "Schedule":
        return cls(**{**saved, "starts": tuple(saved["starts"])})

    def _stage(self, i: int, progress: float) -> Mode:
        start = self.starts[i]
        if progress < start or start == 1:
            return FROZEN
        factor = SHAPES[self.shape]((progress - start) / (1 - start))
        return Mode(self.highest(i) * factor, True, self.statistics, self.which)

    def _head(self, progress: float) -> Mode:
        return Mode(self.head_rate * SHAPES[self.shape](progress), True, self.statistics)


def warm_then_cosine(progress: float, warm: float = 0.1) -> float:
    """The factor on a learning rate: up linearly until `warm`, then down along a cosine to 0.

    >>> [round(warm_then_cosine(p), 2) for p in (0.0, 0.05, 0.1, 0.55, 1.0)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return progress / warm if progress < warm else _falling((progress - warm) / (1 - warm))


def one_cycle(progress: float, warm: float = 0.25) -> float:
    """Up along a cosine until `warm`, then down along another (Smith & Topin 2018, as fastai has it).

    >>> [round(one_cycle(p), 2) for p in (0.0, 0.125, 0.25, 0.625, 1.0)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return 1 - _falling(progress / warm) if progress < warm else _falling((progress - warm) / (1 - warm))


def _falling(t: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * t))


SHAPES: dict[Shape, Callable[[float], float]] = {
    "cosine": warm_then_cosine,
    "one cycle": one_cycle,
    "constant": lambda progress: 1.0,
}


def gradual_starts(stages: int, first: float, last: float) -> tuple[float, ...]:
    """The top stage starts at `first`, the lowest at `last`, those between at even distances.

    >>> gradual_starts(3, 0.1, 0.5)
    (0.5, 0.3, 0.1)
    """
    if stages == 1:
        return (first,)
    return tuple(round(last + (first - last) * i / (stages - 1), 12) for i in range(stages))


def chosen(part: nn.Module, which: Which) -> list[nn.Parameter]:
    """The parameters of a part that a mode lets learn.

    Normalisation is whatever module is called so: batch, layer, group, instance, RMS and their kin. Adapters
    are the modules that a recipe marked with `learns` when it added them.

    >>> part = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
    >>> [len(chosen(part, which)) for which in ("all", "biases", "norms")]
    [4, 2, 2]
    """
    if which == "all":
        return list(part.parameters())
    if which == "nothing":
        return []
    if which == "biases":
        return [p for name, p in part.named_parameters() if name.rsplit(".", 1)[-1] == "bias"]
    if which == "adapters":
        owners = [module for module in part.modules() if getattr(module, "learns", False)]
    else:
        owners = [module for module in part.modules() if "norm" in type(module).__name__.lower()]
    owned = [p for module in owners for p in module.parameters(recurse=False)]
    return list({id(p): p for p in owned}.values())


def _since(start: float) -> str:
    return "from the start" if start == 0 else f"from {100 * start:.0f} %"
