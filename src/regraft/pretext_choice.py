"""Which pretext task helps here, and by how much against spending nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from .contradiction import Contradiction
from .intervals import Interval
from .output.metrics import title
from .pretext import Pretrained
from .selection.choice import Result, best, corrected
from .selection.verdict import Verdict
from .text import aligned, seconds_text

SPREAD = 0.03  # of a task's gain around what it usually is, over data sets: assumed, not measured


@final
@dataclass(frozen=True, eq=False)
class Tried:
    """A task that was tried: the probe's row on what it made, and the seconds that it took."""

    made: Pretrained
    probe: Result


def promising(tried: Sequence[Tried], before: Result, metric: str, pictures: bool) -> Tried:
    """The task that is likely to help most, by the gains measured here and by what tasks brought elsewhere.

    Its gain over the network before it learned (`before`) is measured on few labels, and the best of many
    measured gains is mostly luck. So of what is known of a task from elsewhere, N(`Pretext.usual`, 3 %²),
    what is left after the gain was seen counts, and its mean has to be the highest: with few labels the task
    that usually helps most is taken unless another is far ahead, with many the measured gains decide. What is
    known is known of classes of `pictures`; of anything else all tasks are expected to bring the same.
    """

    def expected(one: Tried) -> float:
        gain: Interval = one.probe.scores.gain_over(before.scores, metric)
        return corrected(gain, one.made.task.usual if pictures else 0.0, SPREAD)

    return max(tried, key=expected)


@final
@dataclass(frozen=True, eq=False)
class PretextChoice:
    """What a probe on few labels says of features: of nothing, of every task, of what was handed over.

    baselines: the probe's rows on the samples as they are, and on the network before it learned. tried: the
    tasks in short runs. whole: the one that was taken, after all of its training. left_out: tasks that were
    not tried, and why. warnings: of the one that was taken.
    """

    baselines: tuple[Result, ...]
    tried: tuple[Tried, ...]
    whole: Tried
    metric: str
    judge: str
    left_out: tuple[tuple[str, str], ...] = ()
    warnings: tuple[Contradiction, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The gain of what was handed over over the better of the baselines."""
        theirs = best(self.baselines, self.metric)
        gain = self.whole.probe.scores.gain_over(theirs.scores, self.metric)
        return Verdict(self.whole.probe.candidate.name, theirs.candidate.name, gain, self.metric)

    def __str__(self) -> str:
        rows = [(row, "") for row in self.baselines]
        rows += [(one.probe, seconds_text(one.made.seconds)) for one in self.tried]
        rows.append((self.whole.probe, seconds_text(self.whole.made.seconds)))
        last = len(rows) - 1
        table = aligned(
            ["probe on few labels", title(self.metric), "seconds"],
            [
                [
                    ("▸ " if i == last else "  ") + row.candidate.name,
                    str(row.scores.interval(self.metric)),
                    took,
                ]
                for i, (row, took) in enumerate(rows)
            ],
        )
        lines = [table, f"Judge: {self.judge}."]
        lines += [f"Left out: {name}: {why}." for name, why in self.left_out]
        lines += [f"Warning: {one}." for one in self.warnings]
        return "\n".join([*lines, f"Verdict: {self.verdict}."])

    def to_json(self) -> dict[str, Any]:
        return {
            "baselines": [row.to_json() for row in self.baselines],
            "tried": [
                {
                    "task": type(one.made.task).__name__,
                    "recipe": one.made.task.recipe(),
                    **one.probe.to_json(),
                }
                for one in (*self.tried, self.whole)
            ],
            "metric": self.metric,
            "judge": self.judge,
            "left_out": [{"task": name, "reason": why} for name, why in self.left_out],
            "warnings": [str(one) for one in self.warnings],
            "verdict": self.verdict.to_json(),
        }
