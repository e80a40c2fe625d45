"""The source's classifier, moved by the target's samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch

from ...domain import Domain
from ...folds import Rows
from ...heads import Linear
from ...heads.fit import LinearFit
from ...heads.ridge import fit_ridge, fit_ridge_each
from ...heads.scaling import scaled
from ...method import param
from ...training import Training
from ..features.linear_probe import unscaled
from ..with_source import Learned, WithSource

SHARES = (0.0, 0.5, 1.0)


@final
@dataclass(frozen=True, kw_only=True)
class SourceThenTarget(WithSource):
    """min_{W,b} Σ_T wᵢ ‖W u(xᵢ) + b − tᵢ‖² + α ‖W − γ W_s‖²,  tᵢ = +1 for the class of xᵢ, −1 for the others

    Least squares on the target as in RidgeProbe, pulled towards W_s, the least squares of the source, instead
    of 0; b is free. α and γ are those of the lowest cross-entropy when single samples of the target are left
    out, which is exact and costs one decomposition; γ = 0 is RidgeProbe of the target. It helps where the
    target asks nearly the same of the features as the source and has too few labels to say so itself; the
    source's samples are needed for W_s alone. A source of another task does little harm, because γ is chosen;
    with two or three labels a class that choice is chance. What the target does not show is never named.

    >>> from regraft import Problem
    >>> from regraft.backbones import vectors
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [0.4], [1.3], [1.5]], ["low", "low", "high", "high"])
    >>> model = SourceThenTarget().fit(Problem(source=lab, target_labelled=field), vectors())
    >>> model.predict([[0.3], [1.4]])
    ['low', 'high']
    """

    reference: ClassVar[str] = (
        "Kuzborskij & Orabona, Stability and hypothesis transfer learning, ICML 2013; "
        "Yang, Yan & Hauptmann, ACM Multimedia 2007"
    )
    map: ClassVar[tuple[str, ...]] = ("M28",)

    share: float | None = param(
        None, "γ: how much of the source's weights it is pulled to; none: choose", search=(None, *SHARES)
    )

    def heads(
        self, target: Domain, source: Domain, kept: Sequence[Rows], training: Training
    ) -> list[Learned]:
        taught = of_source(source)
        u, centre, scale = scaled(target.x)
        shares = SHARES if self.share is None else (self.share,)
        fits: list[list[LinearFit]] = [
            fit_ridge_each(
                u,
                target.labels,
                target.classes.width,
                kept,
                weight=target.weight,
                offset=share * taught(target.x),
            )
            for share in shares
        ]
        learned = []
        for of_subset in zip(*fits, strict=True):
            losses = torch.stack([fit.losses.min() for fit in of_subset])
            # where nothing can be left out the losses are not numbers, and the source is what is known
            best = int(losses.argmin()) if losses.isfinite().all() else len(shares) - 1
            fit, share = of_subset[best], shares[best]
            moved, times = unscaled(fit, centre, scale), fit.sharpness * share
            head = Linear.of(moved.weight + times * taught.weight, moved.bias + times * taught.bias)
            learned.append(Learned(head, {"share": share, "strength": fit.strength}))
        return learned


def of_source(source: Domain) -> Linear:
    """The least squares of the source, in units of ±1; a class that it has no sample of is 0 everywhere."""
    u, centre, scale = scaled(source.x)
    fit = fit_ridge(u, source.labels, source.classes.width, weight=source.weight)
    head = unscaled(fit, centre, scale)
    there = source.classes.counts(source.labels) > 0
    with torch.no_grad():
        head.weight.div_(fit.sharpness)
        head.bias.copy_(torch.where(there, head.bias / fit.sharpness, 0.0))
    return head.requires_grad_(False)
