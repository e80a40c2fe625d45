"""Which pretext task helps here, and by how much against spending nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import torch

from .contradiction import Contradiction
from .intervals import Interval, standard_error
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


def promising(tried: Sequence[Tried], before: Result, metric: str, known: bool) -> Tried:
    """The task that is likely to help most, by the gains measured here and by what tasks brought elsewhere.

    Its gain over the network before it learned (`before`) is measured on few labels, and the best of many
    measured gains is mostly luck. So the highest of what is to be expected of them counts (`expected`): with
    few labels the task that usually helps most is taken unless another is far ahead, with many the measured
    gains decide. known: whether what is usual (`Pretext.usual`) is known of such samples, which are classes
    of pictures, and of a network that had learned nothing; else all tasks are expected to bring the same.
    """
    gains = [one.probe.scores.gain_over(before.scores, metric) for one in tried]
    return tried[foremost(gains, [one.made.task.usual if known else 0.0 for one in tried])]


def foremost(gains: Sequence[Interval], usual: Sequence[float]) -> int:
    """The one of which most is to be expected; of equal ones that with the highest gain.

    >>> foremost([Interval(0.1, -0.1, 0.3), Interval(0.0, -0.2, 0.2)], (0.02, 0.05))
    1
    >>> foremost([Interval(0.1, -0.1, 0.3), Interval(0.0, -0.2, 0.2)], (0.0, 0.0))
    0
    """
    hoped = expected(gains, usual)
    return max(range(len(gains)), key=lambda t: (round(hoped[t], 9), gains[t].value))


def expected(gains: Sequence[Interval], usual: Sequence[float]) -> list[float]:
    """E[γ_t | g],  g_t ~ N(γ_t, s_t²),  γ_t ~ N(u_t + m, τ²):  s_t from the interval of g_t, m and τ from all

    How far tasks are from what they usually bring (u_t), and how differently, is told by the measured gains
    themselves: τ² is what their deviations from u_t vary more than by s_t. Nothing is assumed of it. Where
    they vary no more than that, τ = 0 and nothing but what is usual tells tasks apart.

    τ² by moments: DerSimonian & Laird, Controlled Clinical Trials 1986, eq. 8 and 9; the mean that is left:
    Efron & Morris, JASA 1975.

    >>> unsure, sure = (Interval(0.1, -0.1, 0.3), Interval(0.0, -0.2, 0.2)), (Interval(0.1, 0.09, 0.11),)
    >>> [round(e, 3) for e in expected(unsure, (0.02, 0.05))]
    [0.035, 0.065]
    >>> [round(e, 3) for e in expected((*sure, Interval(0.0, -0.01, 0.01)), (0.02, 0.05))]
    [0.1, 0.0]
    """
    g, u = torch.tensor([gain.value for gain in gains]), torch.tensor(usual)
    noise = torch.tensor([standard_error(gain) for gain in gains]).clamp_min(1e-6).square()
    off, weight = (g - u).double(), 1 / noise.double()
    mean = (weight * off).sum() / weight.sum()
    freedom = weight.sum() - weight.square().sum() / weight.sum()
    beyond = (weight * (off - mean).square()).sum() - (len(gains) - 1)
    spread = (beyond / freedom).clamp_min(0) if len(gains) > 1 else torch.zeros(())
    told = spread / (spread + noise)
    found: list[float] = (u + mean + told * (off - mean)).tolist()
    return found


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
