"""Whether borrowing helped: the paired gain over what borrows less, and what follows from it."""

from dataclasses import dataclass
from typing import Any, Literal

from ..intervals import Interval
from ..output.metrics import title

Outcome = Literal["helps", "no evidence", "hurts"]


@dataclass(frozen=True)
class Verdict:
    """ours − theirs on the same held-out samples, between two bounds (`paired_gain`).

    It *helps* only if the lower bound is above zero and *hurts* if the upper one is below.

    >>> v = Verdict("LinearProbe", "raw pixels", Interval(0.12, 0.05, 0.18), "accuracy")
    >>> v.outcome
    'helps'
    >>> Verdict("LinearProbe", "raw pixels", Interval(0.12, -0.01, 0.18), "accuracy").outcome
    'no evidence'
    """

    ours: str
    theirs: str
    gain: Interval
    metric: str

    @property
    def outcome(self) -> Outcome:
        if self.gain.low > 0:
            return "helps"
        return "hurts" if self.gain.high < 0 else "no evidence"

    def __str__(self) -> str:
        return (
            f"{self.ours} against {self.theirs}: {self.gain.points()} of {title(self.metric)}: {self.outcome}"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "ours": self.ours,
            "theirs": self.theirs,
            "gain": self.gain.to_json(),
            "metric": self.metric,
            "outcome": self.outcome,
        }
