"""Which pretext task helps here, and by how much against spending nothing."""

from dataclasses import dataclass
from typing import Any, final

from .contradiction import Contradiction
from .output.metrics import title
from .pretext import Pretrained
from .selection.choice import Result, best
from .selection.verdict import Verdict
from .text import aligned, seconds_text


@final
@dataclass(frozen=True, eq=False)
class Tried:
    """A task that was tried: the probe's row on what it made, and the seconds that it took."""

    made: Pretrained
    probe: Result


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
