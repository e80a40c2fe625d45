"""The choice without target labels: what is vetoed, what is blocked, what must agree, and when to refuse."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from jaxtyping import Int
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Row:
    """A candidate as the stack sees it: its family and its label-free scores by name.

    baseline: whether it uses the source as it is. said: the class that it tells of each sample of the target.
    blocked: in words why it may not be taken, by a veto or by what the diagnosis says of the shift.
    """

    name: str
    family: str
    baseline: bool
    scores: Mapping[str, float]
    said: Int[Tensor, " m"]
    blocked: tuple[str, ...] = ()


@final
@dataclass(frozen=True)
class Decision:
    """Which row is handed over and why; `chosen` is that of a baseline where adapting is refused."""

    chosen: int
    adapts: bool
    reasons: tuple[str, ...] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        return {"adapts": self.adapts, "reasons": list(self.reasons)}
