"""What the curves say: where layers depend on each other, and where they belong to one task."""

from typing import TYPE_CHECKING

from ..intervals import Interval
from .repeats import at_once, below_to_the_end, excludes_zero, over_repeats
from .trials import OVERLAP

if TYPE_CHECKING:
    from .curves import Transferability


def reading(found: "Transferability") -> list[str]:
    """Sentences on co-adaptation, specialisation and fine-tuning, each with its paired differences.

    A drop is told only where its interval excludes zero: of BnB at the levels of Holm over all cuts
    (`at_once`), of AnB, which grows with depth, from the deepest cut back (`below_to_the_end`).
    """
    return [
        _co_adaptation(found),
        _specialisation(found),
        _fine_tuning(found),
        f"Intervals: 95 % by Student's t over {found.repeats} repeats whose training sets overlap. Several "
        "cuts are looked at: for co-adaptation at Holm's levels, for specialisation from the deepest cut "
        "back until one shows none, so that of either chance alone makes a case in at most 5 %.",
    ]


def _co_adaptation(found: "Transferability") -> str:
    seen = at_once(found.against_scratch("BnB").unbind(1), OVERLAP)
    below = [i for i, interval in enumerate(seen) if interval.high < 0]
    worst = min(below or range(len(seen)), key=lambda i: seen[i].value)
    if not below:
        return (
            "Co-adaptation: no evidence. Re-learning what is above frozen layers of the same task costs the "
            f"most above {_stage(found, worst)}: BnB is {seen[worst].points()} against baseB."
        )
    ends = f", the most above {_stage(found, worst)}: {_lost(seen[worst])}" if worst != below[0] else ""
    return (
        f"Co-adaptation begins at {_stage(found, below[0])}: re-learning what is above it on the same task "
        f"loses {_lost(seen[below[0]])}{ends}."
    )


def _specialisation(found: "Transferability") -> str:
    differences = (found.points["AnB"] - found.points["BnB"]).unbind(1)
    seen = [over_repeats(values, OVERLAP) for values in differences]
    first, last = below_to_the_end(seen), len(seen) - 1
    better = _better(found, at_once(differences, OVERLAP))
    if first is None:
        return (
            "Specialisation: no evidence. With all layers frozen up to "
            f"{_stage(found, last)}, A's against B's own, AnB is {seen[last].points()} against BnB.{better}"
        )
    ends = f", and up to {_stage(found, last)} {_lost(seen[last])}" if last != first else ""
    return (
        f"Specialisation begins at {_stage(found, first)}: A's frozen layers up to it lose "
        f"{_lost(seen[first])} more than B's own{ends}.{better}"
    )


def _better(found: "Transferability", seen: list[Interval]) -> str:
    """A sentence on the cut up to which A's layers are better than B's, if there is one."""
    above = [i for i, interval in enumerate(seen) if interval.low > 0]
    if not above:
        return ""
    best = max(above, key=lambda i: seen[i].value)
    return (
        f" A's frozen layers serve B better than B's own, the most up to {_stage(found, best)}: AnB is "
        f"{seen[best].points()} against BnB."
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


def _stage(found: "Transferability", i: int) -> str:
    return f"stage {found.cuts[i]} ({found.stages[i]})"


def _lost(interval: Interval) -> str:
    """A difference below zero as what is lost.

    >>> _lost(Interval(-0.031, -0.05, -0.012))
    '3.1 points [1.2, 5.0]'
    """
    lost = Interval(-interval.value, -interval.high, -interval.low)
    return lost.points().replace("+", "")
