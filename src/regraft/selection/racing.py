"""When to stop judging a network whose training does not pay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..domain import Domain
from ..folds import Rows
from .choice import Result
from .scores import scores_of

LEAST = 2  # folds that everybody gets


class GivenUp(Exception):
    """Why a candidate is not judged to the end, in words."""


@final
@dataclass(frozen=True, eq=False)
class Race:
    """A changed network against a row that reads its features unchanged, fold by fold.

    What costs a training a fold is given up once it has had two folds and is not ahead on their samples. Of
    networks that win by four points, and differ from the rival on a tenth of the samples, that loses about
    one in twenty at a hundred samples a fold, and three in ten at twenty, where five folds prove little. It
    only ever takes candidates away before the choice, so what is handed over is no more flattered than
    without it.

    rival: the row to keep up with. metric: by which.
    """

    rival: Result
    metric: str

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
        if not LEAST <= len(done) < folds or not told.any():
            return
        ours, theirs = (
            scores_of(labelled.asked.expected(given), labelled, told).value(self.metric)
            for given in (logits[None], self.rival.logits[:1])
        )
        if ours <= theirs:
            raise GivenUp(
                f"given up after {len(done)} of {folds} folds: {self.metric.replace('_', ' ')} {ours:.2f} "
                f"there, and {theirs:.2f} of {self.rival.candidate.name}"
            )
