"""Features three times over: what both domains share, and what is each one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ...domain import Domain
from ...folds import Rows
from ...heads.fit import LinearFit
from ...heads.logistic import PREDICTS, REFIT_TOLERANCE, fit_logistic_each
from ...heads.scaling import scaled
from ...method import param
from ...training import Training
from ..features.linear_probe import unscaled
from ..with_source import Learned, Together, WithSource


@final
@dataclass(frozen=True, kw_only=True)
class FeatureAugmentation(WithSource):
    """min ½ (‖W₀‖² + ‖W_s‖² + ‖W_t‖²) + C (Σ_S wᵢ ℓ((W₀ + W_s) vᵢ + b, yᵢ) + Σ_T wᵢ ℓ((W₀ + W_t) vᵢ + b, yᵢ))

    A logistic regression on Φ_s(x) = (v, v, 0) for the source and Φ_t(x) = (v, 0, v) for the target; v are
    the scaled features of LinearProbe and a 1, by which classes may have other proportions in the target.
    What is handed over is W₀ + W_t. C is chosen by the cross-entropy on held-out samples of the target. It
    helps where the domains agree on most features and disagree on some, as on words that mean something else.
    With no more than a few labels of the target W_t has little to learn from, and Joint is as good; where the
    domains are one, the copies cost a little.

    >>> from regraft import Problem
    >>> from regraft.backbones import vectors
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [0.4], [1.3], [1.5]], ["low", "low", "high", "high"])
    >>> model = FeatureAugmentation().fit(Problem(source=lab, target_labelled=field), vectors())
    >>> model.predict([[0.3], [1.4]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Daumé, Frustratingly easy domain adaptation, ACL 2007, arXiv:0907.1815, eq. 1"
    map: ClassVar[tuple[str, ...]] = ("M28",)

    folds: int = param(5, "folds of the target that choose C", search=(3, 5, 10))

    def heads(
        self, target: Domain, source: Domain, kept: Sequence[Rows], training: Training
    ) -> list[Learned]:
        both = Together.of(target, source, kept, self.folds, training.seed)
        u, centre, scale = scaled(both.x)
        fits = fit_logistic_each(
            augmented(u, both.of_target),
            both.y,
            target.classes.width,
            both.kept,
            both.folds,
            relative=True,
            tolerance=REFIT_TOLERANCE if len(kept) == 1 else PREDICTS,
            weight=both.own,
        )
        return [Learned(unscaled(for_target(fit), centre, scale), {"strength": fit.strength}) for fit in fits]


def augmented(u: Float[Tensor, "n d"], of_target: Bool[Tensor, " n"]) -> Float[Tensor, "n e"]:
    """(v, v, 0) for samples of the source and (v, 0, v) for those of the target, v = (u, 1).

    >>> augmented(torch.tensor([[5.0], [7.0]]), torch.tensor([False, True])).tolist()
    [[5.0, 1.0, 5.0, 1.0, 0.0, 0.0], [7.0, 1.0, 0.0, 0.0, 7.0, 1.0]]
    """
    v = torch.cat([u, u.new_ones(len(u), 1)], 1)
    mine = of_target[:, None]
    return torch.cat([v, v * ~mine, v * mine], 1)


def for_target(fit: LinearFit) -> LinearFit:
    """The same scores of (v, 0, v), as a function of u."""
    common, _, own = fit.weight.chunk(3, 1)
    folded = common + own
    return LinearFit(folded[:, :-1], fit.bias + folded[:, -1], fit.strength, fit.strengths, fit.losses)
