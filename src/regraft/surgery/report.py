"""What came of moving weights: every tensor of both networks is in exactly one of four lists."""

import math
from dataclasses import dataclass, field
from typing import Any, final

from ..text import aligned


@final
@dataclass(frozen=True)
class Moved:
    """A tensor of the target and where its numbers come from.

    how: "name" or "order", by which the two were matched; conversion: what was done to fit, if anything;
    numbers: how many of the target's were set.
    """

    target: str
    source: str
    how: str
    shape: tuple[int, ...]
    from_shape: tuple[int, ...]
    numbers: int
    conversion: str = ""

    def __str__(self) -> str:
        line = f"{self.source} → {self.target} by {self.how}"
        if not self.conversion:
            return line
        return f"{line}, {self.conversion}: {_shape(self.from_shape)} → {_shape(self.shape)}"


@final
@dataclass(frozen=True)
class TransferReport:
    """What was copied, what was converted, what of the source was left out, what of the target stays.

    left_out and at_random: names with shapes. share: of the target's parameters, how many were set.

    >>> print(TransferReport((), (), (("head.weight", (10, 4)),), (("fc.weight", (2, 4)),), 0, 8))
    0 of 8 parameters (0 %) were set: 0 tensors copied, 0 converted
    left out of the source: head.weight (10×4)
    left as they were in the target: fc.weight (2×4)
    """

    copied: tuple[Moved, ...]
    converted: tuple[Moved, ...]
    left_out: tuple[tuple[str, tuple[int, ...]], ...]
    at_random: tuple[tuple[str, tuple[int, ...]], ...]
    set_parameters: int
    parameters: int
    notes: tuple[str, ...] = field(default=())

    @property
    def share(self) -> float:
        return self.set_parameters / self.parameters if self.parameters else 0.0

    def __str__(self) -> str:
        lines = [
            f"{self.set_parameters:,} of {self.parameters:,} parameters ({100 * self.share:.0f} %) were set: "
            f"{len(self.copied)} tensors copied, {len(self.converted)} converted"
        ]
        lines += [f"converted: {moved}" for moved in self.converted]
        for said, tensors in (
            ("left out of the source", self.left_out),
            ("left as they were in the target", self.at_random),
        ):
            if tensors:
                lines.append(f"{said}: {', '.join(f'{name} ({_shape(shape)})' for name, shape in tensors)}")
        return "\n".join([*lines, *self.notes])

    def table(self) -> str:
        """A line for every tensor of the target that was set."""
        return aligned(
            ["target", "source", "matched by", "conversion"],
            [[m.target, m.source, m.how, m.conversion or "none"] for m in (*self.copied, *self.converted)],
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "copied": [vars(m) for m in self.copied],
            "converted": [vars(m) for m in self.converted],
            "left_out": [{"name": name, "shape": list(shape)} for name, shape in self.left_out],
            "at_random": [{"name": name, "shape": list(shape)} for name, shape in self.at_random],
            "share": self.share,
        }


def count(shape: tuple[int, ...]) -> int:
    return math.prod(shape)


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"
