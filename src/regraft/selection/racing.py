"""When to stop judging a network whose training does not pay."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..domain import Domain
from ..folds import Rows
from ..intervals import Interval, standard_error
from .choice import EXPECTED, SPREAD, Result
from .scores import scores_of

UNLIKELY = 0.8416  # standard deviations: one in five ends beyond them


class GivenUp(Exception):
    """Why a candidate is not judged to the end, in words."""


@final
@dataclass(frozen=True, eq=False)
class Race:
    """A network that is trained against the best row before it, fold by fold.

    What costs a training a fold is given up as soon as its chance to end ahead is below one in five: with a
    gain d on the m samples that are done, of standard deviation s, the gain on all n is normal around d with
    the deviation s √(1 − m/n), as far as m samples tell (predictive probability: Spiegelhalter, Freedman &
    Blackburn, Controlled Clinical Trials 7, 1986). Of networks that win by four points, and differ from the
    rival on a tenth of the samples, one in twenty is lost at 50 samples a fold and hardly any at 100; of
    those that lose by four points, most are given up after one fold or two. It only ever takes candidates
    away before the choice, so what is handed over is no more flattered than without it.

    What uses a pool that looks like the labelled samples may be handed over unproven. There the chance is
    that it ends likely to help (`choice.likely`), and what such pools usually bring, N(μ, τ²), counts for
    the samples to come: with w = s² / τ² the gain on these is normal around (d + w μ) / (1 + w), with the
    variance s² / (1 + w) + s² m / (n − m).

    rival: the row to keep up with. metric: by which. trusted: whether it uses such a pool.
    """

    rival: Result
    metric: str
    trusted: bool = False

    def check(
        self,
        logits: Float[Tensor, "n ..."],
        done: Sequence[Rows],
        folds: int,
        labelled: Domain,
        judged: Bool[Tensor, " n"],
    ) -> None:
        """Raise GivenUp where the scores on the samples of the folds that are done do not keep up."""
        told = torch.zeros_like(judged)
        told[torch.cat(list(done))] = True
        told &= judged
        if len(done) == folds or not told.any():
            return
        ours, theirs = (
            scores_of(labelled.asked.expected(given), labelled, told)
            for given in (logits[None], self.rival.logits[:1])
        )
        share = int(told.sum()) / int(judged.sum())
        if hopeless(ours.gain_over(theirs, self.metric), share, self.trusted):
            raise GivenUp(
                f"given up after {len(done)} of {folds} folds: {self.metric.replace('_', ' ')} "
                f"{ours.value(self.metric):.2f} there, and {theirs.value(self.metric):.2f} of "
                f"{self.rival.candidate.name}"
            )

    def won_by(self, ours: Result) -> bool:
        """Whether it is better than the rival, as far as four chances in five tell."""
        gain = ours.scores.gain_over(self.rival.scores, self.metric)
        return gain.value > UNLIKELY * standard_error(gain)


def hopeless(gain: Interval, share: float, trusted: bool) -> bool:
    """Whether the chance to be handed over in the end is below one in five, after this share of the samples.

    >>> behind = Interval(-0.02, -0.05, 0.01)
    >>> hopeless(behind, 0.2, trusted=False), hopeless(behind, 0.2, trusted=True)
    (True, False)
    """
    variance, left = standard_error(gain) ** 2, 1 - share
    known = variance / SPREAD**2 if trusted else 0.0
    to_come = (gain.value + EXPECTED * known) / (1 + known)
    spread = math.sqrt(variance * left * (left / (1 + known) + share))
    return share * gain.value + left * to_come + UNLIKELY * spread < -EXPECTED * known * share
