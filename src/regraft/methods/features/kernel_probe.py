"""Logistic regression on similarities to some of the samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...domain import Domain
from ...folds import Rows, inner_folds
from ...heads.fit import LinearFit
from ...heads.kernel import Kernel, similarity, usual_gamma
from ...heads.logistic import PREDICTS, fit_logistic_each
from ...heads.ridge import fit_ridge
from ...method import OnFeatures, param
from ...output import Classes
from ...seeds import seed_of
from ...terms.symmetric import power
from ...training import Training

WIDTHS = (0.25, 1.0, 4.0, 16.0)  # factors on the usual γ
ROUNDING = 1e-10  # of K's largest eigenvalue


@final
@dataclass(frozen=True, kw_only=True)
class KernelProbe(OnFeatures):
    """min_{W,b} ½ ‖W‖² + C Σ wᵢ ℓ(W K_PP^(−½) k_P(xᵢ) + b, yᵢ),  k_P(x)_j = exp(−γ ‖φ(x) − p_j‖²)

    P holds all samples, or `points` of them drawn at random (Nyström). γ, one of some multiples of
    1 / (d · variance), is that by which least squares foretell each sample best from all others, or where
    samples come in groups that by which cross-validation does, which splits none; C is chosen by
    cross-validation. A border of any shape, which few columns need more often than the features of a network
    do: those are many and made to be told apart by planes.

    >>> from regraft.backbones import vectors
    >>> from regraft.problem import Problem
    >>> x = [[0.0], [0.1], [0.9], [1.0], [1.9], [2.0]]
    >>> ring = Domain(x * 3, ["out", "out", "in", "in", "out", "out"] * 3)
    >>> KernelProbe().fit(Problem(target_labelled=ring), vectors()).predict([[0.05], [0.95], [1.95]])
    ['out', 'in', 'out']
    """

    reference: ClassVar[str] = "Williams & Seeger, NIPS 2000"
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    map: ClassVar[tuple[str, ...]] = ("M01",)

    points: int = param(300, "samples that all are compared with, at the most", search=(100, 300, 1000))
    folds: int = param(5, "folds of the cross-validation that chooses C", search=(3, 5, 10))

    def heads(self, features: Domain, kept: Sequence[Rows], training: Training) -> list[nn.Module]:
        assert isinstance(features.x, Tensor)
        x = features.x.double()
        return [self._head(x, features, rows, training) for rows in kept]

    def _head(self, x: Float[Tensor, "n d"], features: Domain, rows: Rows, training: Training) -> nn.Module:
        mine = features[rows]
        x, k = x[rows], features.classes.width
        luck = torch.Generator().manual_seed(seed_of(training.seed, "points"))
        points = x[torch.randperm(len(x), generator=luck)[: self.points].sort().values]
        folds = inner_folds(mine, [torch.arange(len(x))], self.folds, training.seed)
        usual = usual_gamma(x)
        found: tuple[float, Float[Tensor, ""], Tensor, Tensor] | None = None
        for width in WIDTHS:
            gamma = width * usual
            root = power(similarity(points, points, gamma), -0.5, ROUNDING)
            z = similarity(x, points, gamma) @ root
            if mine.group is None:
                losses = fit_ridge(z, mine.labels, k, weight=mine.weight).losses
            else:  # a sample is foretold from its like, by the narrowest kernel best
                losses = self._fit(z, mine, folds).losses
            loss = float(losses.nan_to_num(torch.inf).min())
            if found is None or loss < found[0]:
                found = loss, gamma, root, z
        assert found is not None
        _, gamma, root, z = found
        fit = self._fit(z, mine, folds)
        return Kernel.of(points, gamma, fit.weight @ root, fit.bias)

    def _fit(self, z: Float[Tensor, "n p"], mine: Domain, folds: Sequence[Sequence[Rows]]) -> LinearFit:
        everything = torch.arange(len(z))
        (fit,) = fit_logistic_each(
            z, mine.labels, mine.classes.width, [everything], folds, weight=mine.weight, tolerance=PREDICTS
        )
        return fit
