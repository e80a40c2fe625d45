"""Which row is handed over, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor

from ..candidates import Candidate
from ..intervals import Interval
from .expectation import Expectation
from .scores import Scores
from .verdict import Verdict

HAND_OVER = ("likely", "proven", "best")


@dataclass(frozen=True, eq=False)
class Result:
    """One row of the table: a candidate, what the judge says of it, and what it cost.

    logits: for each repeat of the folds and each sample, what a fit without the sample says of it; −∞ for a
    class that this fit has seen no sample of. expected: what that means, the mean over the repeats: for
    classes P(class | sample).
    judged: the samples that count; the others had no fold of their own, or nobody of their class beside it.
    """

    candidate: Candidate
    scores: Scores
    seconds: float
    logits: Float[Tensor, "r n ..."]
    expected: Float[Tensor, "n ..."]
    judged: Bool[Tensor, " n"]

    def to_json(self) -> dict[str, Any]:
        return {**self.candidate.to_json(), **self.scores.to_json(), "seconds": round(self.seconds, 3)}


class Choice(NamedTuple):
    """The row that earns it, and the verdicts on borrowing a network, on changing it, and on using a pool."""

    kept: Result
    transfer: Verdict | None
    tuning: Verdict | None
    pool: Verdict | None


def handed_over(results: Sequence[Result], metric: str, rule: str = "likely", alike: bool = False) -> Choice:
    """What is handed over, and why.

    A network that was changed has to beat its own unchanged features, what borrows has to beat what does not,
    and what learns from samples without labels has to beat all that learn from the labels alone; each by an
    interval above zero. Where these samples look like the labelled ones (`alike`) it is enough by the rule
    "likely" that they are likely to help. By the rule "best" the best score earns it.
    """
    pooled = [r for r in results if r.candidate.adapts]
    labelled = [r for r in results if not r.candidate.adapts]
    frozen = [r for r in labelled if r.candidate.borrows and not r.candidate.tunes]
    tuned = [r for r in labelled if r.candidate.tunes]
    alone = [r for r in labelled if not r.candidate.borrows]
    tuning = verdict(tuned, frozen, metric)
    borrowing = frozen if tuning is not None and tuning.outcome != "helps" else frozen + tuned
    transfer = verdict(borrowing, alone, metric)
    pool = verdict(pooled, labelled, metric)
    earned = borrowing if transfer is not None and transfer.outcome == "helps" else alone or borrowing
    if pool is not None:
        usual = brought_beside(best(labelled, metric), metric)
        if pool.outcome == "helps" or (rule == "likely" and alike and usual.likely(pool.gain)):
            earned = pooled
    if rule == "best":
        earned = list(results)
    return Choice(best(earned, metric), transfer, tuning, pool)


def brought_beside(alone: Result, metric: str) -> Expectation:
    """What pools that look like the labelled samples usually bring, beside such a row."""
    return Expectation.of_pools(alone.scores.value(metric), int(alone.judged.sum()))


def best(results: Sequence[Result], metric: str) -> Result:
    """The row with the highest score; equal ones are told apart by the loss."""
    return max(results, key=lambda r: (r.scores.value(metric), -r.scores.loss))


def verdict(ours: Sequence[Result], theirs: Sequence[Result], metric: str) -> Verdict | None:
    """The paired gain of the best of ours over the best of theirs, where both are there."""
    if not ours or not theirs:
        return None
    a, b = best(ours, metric), best(theirs, metric)
    gain: Interval = a.scores.gain_over(b.scores, metric)
    return Verdict(a.candidate.name, b.candidate.name, gain, metric)
