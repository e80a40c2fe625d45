"""What the curves say: where layers depend on each other, and where they belong to one task."""

from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from ..selection.intervals import Interval
from .repeats import at_once, excludes_zero, over_repeats
from .trials import OVERLAP

if TYPE_CHECKING:
    from .curves import Transferability


def reading(found: "Transferability") -> list[str]:
    """Sentences on co-adaptation, specialisation and fine-tuning, each with its paired differences.

    A drop is told only where its interval excludes zero, at the levels of Holm over all cuts (`at_once`).
    """
    return [
        _co_adaptation(found),
        _specialisation(found),
        _fine_tuning(found),
        f"Intervals: 95 % by Student's t over {found.repeats} repeats whose training sets overlap; of "
        "several cuts at Holm's levels, so that chance alone shows a drop at any of them in at most 5 %.",
    ]


def _co_adaptation(found: "Transferability") -> str:
    seen, first, worst = _drop(found.against_scratch("BnB"))
    if first is None:
        return (
            "Co-adaptation: no evidence. Re-learning what is above frozen layers of the same task costs the "
            f"most above {_stage(found, worst)}: BnB is {seen[worst].points()} against baseB."
        )
    ends = f", the most above {_stage(found, worst)}: {_lost(seen[worst])}" if worst != first else ""
    return (
        f"Co-adaptation begins at {_stage(found, first)}: re-learning what is above it on the same task "
        f"loses {_lost(seen[first])}{ends}."
    )


def _specialisation(found: "Transferability") -> str:
    seen, first, worst = _drop(found.points["AnB"] - found.points["BnB"])
    told = ""
    if any(interval.low > 0 for interval in seen):
        i = max((i for i in range(len(seen)) if seen[i].low > 0), key=lambda i: seen[i].value)
        told = f" A's frozen layers serve B better than B's own, the most up to {_stage(found, i)}: AnB is "
        told += f"{seen[i].points()} against BnB."
    if first is None:
        return (
            "Specialisation: no evidence. Beyond what BnB loses, A's frozen layers cost the most up to "
            f"{_stage(found, worst)}: AnB is {seen[worst].points()} against BnB.{told}"
        )
    ends = f", and up to {_stage(found, worst)} {_lost(seen[worst])}" if worst != first else ""
    return (
        f"Specialisation begins at {_stage(found, first)}: A's frozen layers up to it lose "
        f"{_lost(seen[first])} more than B's own{ends}.{told}"
    )


def _fine_tuning(found: "Transferability") -> str:
    gain = over_repeats(found.against_scratch("AnB+").mean(1), OVERLAP)
    back = over_repeats(found.points["AnB+"][:, -1] - found.points["AnB"][:, -1], OVERLAP)
    if excludes_zero(gain):
        told = "above" if gain.low > 0 else "below"
        told = f"on average over the cuts AnB+ is {told} baseB, by {gain.points()}"
    else:
        told = f"no evidence that AnB+ differs from baseB: on average over the cuts {gain.points()}"
    regained = "takes back" if back.low > 0 else "has no proven effect on"
    return (
        f"Fine-tuning {regained} what the deepest frozen cut loses, AnB+ being {back.points()} against AnB "
        f"there; {told}."
    )


def _drop(differences: Float[Tensor, "r cuts"]) -> tuple[list[Interval], int | None, int]:
    """The intervals by cut; the first one below zero, if any is; the lowest of those below, or of all."""
    seen = at_once(differences.unbind(1), OVERLAP)
    below = [i for i, interval in enumerate(seen) if interval.high < 0]
    lowest = min(below or range(len(seen)), key=lambda i: seen[i].value)
    return seen, below[0] if below else None, lowest


def _stage(found: "Transferability", i: int) -> str:
    return f"stage {found.cuts[i]} ({found.stages[i]})"


def _lost(interval: Interval) -> str:
    """A difference below zero as what is lost.

    >>> _lost(Interval(-0.031, -0.05, -0.012))
    '3.1 points [1.2, 5.0]'
    """
    lost = Interval(-interval.value, -interval.high, -interval.low)
    return lost.points().replace("+", "")
