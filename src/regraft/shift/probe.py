"""Linear classifiers that are asked about what they were not fitted to."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..domain import Domain
from ..folds import Rows, complement, inner_folds, judgeable, stratified_folds
from ..heads.fit import LinearFit
from ..heads.logistic import PREDICTS, fit_logistic_each

FOLDS = 5


@final
@dataclass(frozen=True, eq=False)
class Probed:
    """What logistic regressions say of samples that they have not seen, and the one fitted to all.

    scores: of every sample, by the regression without its fold. judged: which samples were asked about.
    fold: of every sample; −1 where it was not held out. folds: the held-out rows. fits: without each of them.
    whole: fitted to all samples. overlap: the size of a fold over that of the rest.
    """

    scores: Float[Tensor, "n k"]
    judged: Bool[Tensor, " n"]
    fold: Int[Tensor, " n"]
    folds: list[Rows]
    fits: list[LinearFit]
    whole: LinearFit

    @property
    def overlap(self) -> float:
        return 1 / max(1, len(self.folds) - 1)


def probed(labelled: Domain, seed: int, weight: Float[Tensor, " n"] | None = None) -> Probed:
    """Logistic regressions on features, with strengths chosen inside of each fold; groups stay together.

    >>> x = torch.arange(20.0)[:, None]
    >>> told = probed(Domain(x, ["low"] * 10 + ["high"] * 10), seed=0)
    >>> (told.scores.argmax(1) == (x[:, 0] < 10)).all().item()
    True
    """
    z, y, k = labelled.x.double(), labelled.labels, labelled.asked.width
    n = len(labelled)
    folds = stratified_folds(labelled, FOLDS, seed)
    kept = [complement(rows, n) for rows in folds]
    inside = inner_folds(labelled, kept, FOLDS, seed)
    *fits, whole = fit_logistic_each(
        z, y, k, [*kept, torch.arange(n)], [*inside, folds], weight=weight, tolerance=PREDICTS
    )
    scores = torch.zeros(n, k, dtype=torch.float64)
    judged, fold = torch.zeros(n, dtype=torch.bool), torch.full((n,), -1)
    for i, (rows, fit) in enumerate(zip(folds, fits, strict=True)):
        scores[rows] = linear(fit, z[rows])
        judged[rows[judgeable(labelled, rows)]] = True
        fold[rows] = i
    return Probed(scores, judged, fold, folds, fits, whole)


def linear(fit: LinearFit, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
    """x Wᵀ + b"""
    return z @ fit.weight.T + fit.bias


def evenly(side: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Weights of mean 1 under which all sides together weigh the same.

    >>> evenly(torch.tensor([0, 0, 0, 1])).tolist()
    [0.6666666666666666, 0.6666666666666666, 0.6666666666666666, 2.0]
    """
    counts = torch.bincount(side).double()
    return len(side) / ((counts > 0).sum() * counts[side])
