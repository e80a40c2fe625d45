"""Multinomial logistic regression on frozen features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from torch import Tensor, nn

from ...domain import Domain
from ...errors import InputError
from ...folds import Rows, inner_folds
from ...heads import Linear
from ...heads.fit import ColumnsFit, LinearFit
from ...heads.labels import fit_labels_each
from ...heads.logistic import PREDICTS, REFIT_TOLERANCE, fit_logistic_each
from ...heads.scaling import in_units
from ...method import OnFeatures, param
from ...output import Classes, MultiLabel
from ...training import Training


@final
@dataclass(frozen=True, kw_only=True)
class LinearProbe(OnFeatures):
    """min_{W,b} ½ ‖W‖² + C Σ wᵢ ℓ(W u(xᵢ) + b, yᵢ),  u(x) = (φ(x) − φ̄) / s

    ℓ is the cross-entropy, φ̄ the mean training feature, s the root mean square of all centred features
    (one number, so that C means the same for every network). C is chosen by cross-validation inside the
    training samples; while a judge holds out one of its folds, its others are the folds of that. Of several
    labels each has a logistic regression of its own, with its own C, on the samples that know it. The first
    thing to try: few parameters to choose, and with a good φ hard to beat. It cannot repair features that
    do not tell the classes apart.

    >>> from regraft.backbones import vectors
    >>> from regraft.problem import Problem
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> LinearProbe().fit(Problem(target_labelled=data), vectors()).predict([[0.2], [0.9]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Tian et al., ECCV 2020, arXiv:2003.11539; Böhning 1992 for the solver"
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind, MultiLabel.kind})
    map: ClassVar[tuple[str, ...]] = ("M01", "M03")

    folds: int = param(5, "folds of the cross-validation that chooses C", search=(3, 5, 10))
    cautious: bool = param(
        False,
        "whether C is the smallest that is about as often right, instead of that of the lowest loss",
        (False, True),
    )

    def heads(self, features: Domain, kept: Sequence[Rows], training: Training) -> list[nn.Module]:
        u, scale = in_units(features.x)
        how: dict[str, Any] = {
            "relative": True,
            "weight": features.weight,
            "tolerance": REFIT_TOLERANCE if len(kept) == 1 else PREDICTS,
        }
        folds = inner_folds(features, kept, self.folds, training.seed)
        fits: Sequence[LinearFit | ColumnsFit]
        if self.cautious and not isinstance(features.output, Classes):
            raise InputError(f"cautious is for classes, and the output is {features.asked.describe()}")
        if isinstance(features.output, MultiLabel):
            fits = fit_labels_each(u, features.labels, features.observed, kept, folds, **how)
        else:
            y, k = features.labels, features.classes.width
            fits = fit_logistic_each(u, y, k, kept, folds, cautious=self.cautious, **how)
        return [of_units(fit, scale) for fit in fits]


def of_units(fit: LinearFit | ColumnsFit, scale: Tensor) -> Linear:
    """The function that was fitted to φ(x) / s, of φ(x) itself."""
    return Linear.of(fit.weight / scale, fit.bias)


def unscaled(fit: LinearFit | ColumnsFit, centre: Tensor, scale: Tensor) -> Linear:
    """The same function of φ(x) itself."""
    weight = fit.weight / scale
    return Linear.of(weight, fit.bias - torch.mv(weight, centre))
