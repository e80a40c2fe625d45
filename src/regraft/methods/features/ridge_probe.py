"""Least squares on frozen features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

from torch import nn

from ...domain import Domain
from ...folds import Rows
from ...heads.ridge import fit_known_numbers, fit_ridge_each
from ...heads.scaling import in_units
from ...method import OnFeatures
from ...output import Classes, Real
from ...training import Training
from .linear_probe import of_units


@final
@dataclass(frozen=True, kw_only=True)
class RidgeProbe(OnFeatures):
    """min_{W,b} Σ wᵢ ‖W u(xᵢ) + b − tᵢ‖² + α ‖W‖²,  tᵢ = +1 for the class of xᵢ and −1 for the others

    u(x) = (φ(x) − φ̄) / s as in LinearProbe. Where numbers are asked for, tᵢ is the number itself, and each
    number has an α of its own. α is chosen by the exact error when single samples are left
    out (also where there are groups), from one decomposition; the scores are then sharpened so that their
    softmax has the lowest loss on them. On some features it beats logistic regression by points, on
    others it loses: samples far on the right side of the plane pull it as much as those on the wrong one.

    >>> from regraft.backbones import vectors
    >>> from regraft.problem import Problem
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> RidgeProbe().fit(Problem(target_labelled=data), vectors()).predict([[0.2], [0.9]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Rifkin & Klautau, JMLR 2004; Golub, Heath & Wahba 1979 for leaving one out"
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind, Real.kind})
    map: ClassVar[tuple[str, ...]] = ("M01",)

    def heads(self, features: Domain, kept: Sequence[Rows], training: Training) -> list[nn.Module]:
        u, scale = in_units(features.x)
        if isinstance(features.output, Real):
            numbers = fit_known_numbers(u, features.labels, kept, features.observed, features.weight)
            return [of_units(fit, scale) for fit in numbers]
        fits = fit_ridge_each(u, features.labels, features.classes.width, kept, weight=features.weight)
        return [of_units(fit, scale) for fit in fits]
