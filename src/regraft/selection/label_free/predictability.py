"""Whether what is told of some of the target tells the rest."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch

from ...folds import complement, dealt
from ...heads.ridge import fit_ridge_each
from .trial import LabelFree, Trial


@final
@dataclass(frozen=True)
class Predictability(LabelFree):
    """(a − p) / (1 − p): the accuracy a with which least squares foretells the candidate's own answers

    Least squares learn them from the target's features in all folds but one, and foretell them there; p is
    the share of the answer that is given most. Answers that follow the features are foretold, answers that
    cut through the middle of a crowd of samples are not; one answer for everything is worth 0. Of more than
    `most` samples as many are drawn. It cannot tell whether the classes bear the right names, and it prefers
    whoever follows a plane through the features, be it the wrong one.

    >>> Predictability().kind
    'predictability'
    """

    name: ClassVar[str] = "predictability"
    short: ClassVar[str] = "foretold"
    kind: ClassVar[str] = "predictability"
    reference: ClassVar[str] = "after Lange et al., Neural Computation 2004 (stability of clusterings)"
    warning: ClassVar[str] = "cannot tell whether classes bear the right names"

    folds: int = 3
    most: int = 3000

    def __call__(self, trial: Trial) -> float:
        rows = trial.some(self.most)
        x, said = trial.features[rows].double(), trial.of_target[rows].argmax(1)
        counts = torch.bincount(said, minlength=trial.of_target.shape[1])
        usual = float(counts.max()) / len(said)
        if usual == 1 or len(said) < self.folds:
            return 0.0
        held_out = dealt(said, self.folds, trial.seed)
        kept = [complement(fold, len(said)) for fold in held_out]
        fits = fit_ridge_each(x, said, len(counts), kept)
        right = sum(
            int(((x[fold] @ fit.weight.T + fit.bias).argmax(1) == said[fold]).sum())
            for fit, fold in zip(fits, held_out, strict=True)
        )
        return (right / len(said) - usual) / (1 - usual)
