"""When to stop judging a network whose training does not pay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..domain import Domain
from ..folds import Rows
from ..intervals import standard_error
from .choice import Result
from .expectation import UNKNOWN, UNLIKELY, Expectation
from .scores import scores_of


class GivenUp(Exception):
    """Why a candidate is not judged to the end, in words."""


@final
@dataclass(frozen=True, eq=False)
class Race:
    """A network that is trained against the best row before it, fold by fold.

    What costs a training a fold is given up as soon as its chance to end ahead is below one in five
    (`Expectation.hopeless`). Of networks that win by four points, and differ from the rival on a tenth of the
    samples, one in twenty is lost at 50 samples a fold and hardly any at 100; of those that lose by four
    points, most are given up after one fold or two. It only ever takes candidates away before the choice, so
    what is handed over is no more flattered than without it.

    rival: the row to keep up with. metric: by which. usual: what is known of such gains. Something is only
    where the candidate may be handed over unproven, because it uses a pool that looks like the labelled
    samples: then its chance is that it ends likely to help.
    """

    rival: Result
    metric: str
    usual: Expectation = UNKNOWN

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
        if self.usual.hopeless(ours.gain_over(theirs, self.metric), share):
            raise GivenUp(
                f"given up after {len(done)} of {folds} folds: {self.metric.replace('_', ' ')} "
                f"{ours.value(self.metric):.2f} there, and {theirs.value(self.metric):.2f} of "
                f"{self.rival.candidate.name}"
            )

    def won_by(self, ours: Result) -> bool:
        """Whether it is better than the rival, as far as four chances in five tell."""
        gain = ours.scores.gain_over(self.rival.scores, self.metric)
        return gain.value > UNLIKELY * standard_error(gain)
