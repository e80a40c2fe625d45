"""Multinomial logistic regression on frozen features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from ...domain import Domain
from ...folds import Rows, stratified_folds
from ...heads import Linear
from ...heads.logistic import LinearFit, fit_logistic, fit_logistic_each
from ...heads.scaling import scaled
from ...method import OnFeatures, param
from ...training import Training


@final
@dataclass(frozen=True, kw_only=True)
class LinearProbe(OnFeatures):
    """min_{W,b} ½ ‖W‖² + C Σ wᵢ ℓ(W u(xᵢ) + b, yᵢ),  u(x) = (φ(x) − φ̄) / s

    ℓ is the cross-entropy, φ̄ the mean training feature, s the root mean square of all centred features
    (one number, so that C means the same for every network). C is chosen by cross-validation, inside the
    training samples. The first thing to try: few parameters to choose, and with a good φ hard to beat. It
    cannot repair features that do not tell the classes apart.

    >>> from regraft.backbones import vectors
    >>> from regraft.problem import Problem
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> LinearProbe().fit(Problem(target_labelled=data), vectors()).predict([[0.2], [0.9]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Tian et al., ECCV 2020, arXiv:2003.11539; Böhning 1992 for the solver"
    map: ClassVar[tuple[str, ...]] = ("M01", "M03")

    folds: int = param(5, "folds of the cross-validation that chooses C", search=(3, 5, 10))

    def head(self, features: Domain, training: Training) -> nn.Module:
        u, centre, scale = scaled(features.x)
        return unscaled(self.fit_scaled(features.with_(x=u), training.seed), centre, scale)

    def heads(self, features: Domain, kept: Sequence[Rows], training: Training) -> list[nn.Module]:
        u, centre, scale = scaled(features.x)
        scales = [scaled(u[rows])[2] for rows in kept]
        folds = [
            [rows[fold] for fold in stratified_folds(features[rows], self.folds, training.seed)]
            for rows in kept
        ]
        fits = fit_logistic_each(
            u,
            features.labels,
            features.classes.width,
            kept,
            folds,
            factors=[1 / float(s) ** 2 for s in scales],
            weight=features.weight,
        )
        return [unscaled(fit, centre, scale) for fit in fits]

    def fit_scaled(self, features: Domain, seed: int) -> LinearFit:
        """The solved problem in the coordinates u."""
        assert isinstance(features.x, Tensor)
        return fit_logistic(
            features.x,
            features.labels,
            features.classes.width,
            folds=stratified_folds(features, self.folds, seed),
            weight=features.weight,
        )


def unscaled(fit: LinearFit, centre: Tensor, scale: Tensor) -> Linear:
    """The same function of φ(x) itself."""
    weight = fit.weight / scale
    return Linear.of(weight, fit.bias - torch.mv(weight, centre))
