"""The source's samples and the target's together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from ...domain import Domain
from ...errors import InputError
from ...folds import Rows, stratified_folds
from ...heads.fit import LinearFit
from ...heads.logistic import PREDICTS, REFIT_TOLERANCE, fit_logistic_each
from ...heads.scaling import scaled
from ...method import param
from ...training import Training
from ..features.linear_probe import unscaled
from ..with_source import Learned, Together, WithSource

SHARES = (0.25, 0.5, 0.75, 1.0)  # α that are tried, besides that of plain pooling
EVEN = 0.5  # where nothing can be held out to choose by


@final
@dataclass(frozen=True, kw_only=True)
class Joint(WithSource):
    """min_{W,b} ½ ‖W‖² + C N ((1 − α) R_S(W, b) + α R_T(W, b)),  1/N = (1 − α)²/n_s + α²/n_t

    R_S and R_T are the mean cross-entropies on the n_s samples of the source and the n_t of the target, on
    scaled features as in LinearProbe; N is how many equal samples theirs are worth. α = 0 is the probe of the
    source alone, α = 1 that of the target alone, and α = n_t / (n_s + n_t) that of all samples as they are.
    C and α are chosen together, by the cross-entropy on held-out samples of the target. It helps where the
    source is much larger and much like the target; the more the two differ, the larger α should be, and with
    very few labels of the target the choice of it is chance.

    >>> from regraft import Problem
    >>> from regraft.backbones import vectors
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [0.4], [1.3], [1.5]], ["low", "low", "high", "high"])
    >>> model = Joint().fit(Problem(source=lab, target_labelled=field), vectors())
    >>> model.predict([[0.3], [1.4]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Ben-David et al., Machine Learning 2010, section 5, theorem 3"
    map: ClassVar[tuple[str, ...]] = ("M28",)

    alpha: float | None = param(
        None, "α: how much the target's risk counts, from 0 to 1; none: choose", (None, 0.0, *SHARES)
    )
    folds: int = param(5, "folds of the target that choose C and α", search=(3, 5, 10))

    def heads(
        self, target: Domain, source: Domain, kept: Sequence[Rows], training: Training
    ) -> list[Learned]:
        found: dict[int, Learned] = {}
        for size in dict.fromkeys(map(len, kept)):  # a weight depends on the number of samples
            alike = [i for i, rows in enumerate(kept) if len(rows) == size]
            together = Together.of(target, source, [kept[i] for i in alike], self.folds, training.seed)
            found |= dict(zip(alike, self._learned(together, source, size, training.seed), strict=True))
        return [found[i] for i in range(len(kept))]

    def _learned(self, both: Together, source: Domain, size: int, seed: int) -> list[Learned]:
        """Of subsets of so many samples of the target each."""
        n = len(source)
        shares = (size / (n + size), *SHARES) if self.alpha is None else (self.alpha,)
        if self.alpha == 0:
            both = both.judged_by(stratified_folds(source, self.folds, seed))
        u, centre, scale = scaled(both.x)
        fits: list[list[LinearFit]] = [
            fit_logistic_each(
                u,
                both.y,
                source.classes.width,
                both.kept,
                both.folds,
                relative=True,
                tolerance=REFIT_TOLERANCE if len(both.kept) == 1 else PREDICTS,
                weight=both.own * shared(share, both.of_target, n, size),
            )
            for share in shares
        ]
        learned = []
        for of_subset in zip(*fits, strict=True):
            losses = torch.stack([fit.losses.nan_to_num(torch.inf).min() for fit in of_subset])
            if losses.isfinite().any():
                best = int(losses.argmin())
            else:
                best = shares.index(EVEN) if EVEN in shares else 0
            head = unscaled(of_subset[best], centre, scale)
            learned.append(Learned(head, {"alpha": shares[best], "strength": of_subset[best].strength}))
        return learned


def shared(alpha: float, of_target: Tensor, n: int, m: int) -> Float[Tensor, " k"]:
    """N (1 − α)/n for samples of the source and N α/m for those of the target, 1/N = (1 − α)²/n + α²/m.

    >>> shared(0.2, torch.tensor([False] * 4 + [True]), 4, 1).tolist()  # as they are
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    if not 0 <= alpha <= 1:
        raise InputError(
            f"alpha is {alpha:g}: give a share from 0 (the source alone) to 1 (the target alone)"
        )
    worth = 1 / ((1 - alpha) ** 2 / n + alpha**2 / m)
    return torch.where(of_target, worth * alpha / m, worth * (1 - alpha) / n).double()
