"""Sources of unknown quality, weighted by what a few trusted samples say of them."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from ...domain import Domain
from ...folds import complement, stratified_folds
from ...heads.logistic import PREDICTS, fit_logistic_each
from ...heads.scaling import scaled
from ...method import param
from ...output import Classes
from ...terms.trust import source_weights
from ...training import Training
from ..features.learners import LEARNERS, learner_of
from ..with_source import Learned, WithSource

FOLDS = 5


@final
@dataclass(frozen=True, kw_only=True)
class Trusted(WithSource):
    """min_h Σᵢ αᵢ Rᵢ(h),  α = argmin over the simplex of Σᵢ αᵢ disc(Sᵢ, T) + λ √(Σᵢ αᵢ²/mᵢ)

    Rᵢ is the risk on source i, of mᵢ samples, and disc(S, T) = max_h |R_S(h) − R_T(h)| over linear h, as far
    as one finds it on held-out samples (`discrepancy`). `source.origin` tells the sources apart; the labelled
    target is one of them, at a discrepancy of 0. It helps where some sources are wrongly labelled or of
    another task and nobody knows which: a few trusted labels expose them. Errors that are spread evenly over
    all sources are exposed but not separated. With T of a handful of samples every discrepancy is chance; λ
    larger then keeps more of the sources. The model's provenance tells α and the discrepancies, in the order
    of the sources, the target last.

    >>> from regraft import Problem
    >>> from regraft.backbones import vectors
    >>> from regraft.pooling import pooled
    >>> x = torch.linspace(-1, 1, 40)[:, None]
    >>> right, wrong = (Domain(x, [a if v < 0 else b for v in x]) for a, b in (("-", "+"), ("+", "-")))
    >>> few = Domain(x[::4] + 0.01, ["-" if v < 0 else "+" for v in x[::4]])
    >>> problem = Problem(source=pooled({"a": right, "b": wrong}), target_labelled=few)
    >>> model = Trusted().fit(problem, vectors())
    >>> model.predict([[-0.5], [0.5]]), model.provenance["alpha"][1]
    (['-', '+'], 0.0)
    """

    reference: ClassVar[str] = "Konstantinov & Lampert, ICML 2019, arXiv:1901.10310"
    map: ClassVar[tuple[str, ...]] = ("M34",)

    learner: str = param(
        "probe", "what learns: auto, the probe of the output, cautious, ridge, or kernel", LEARNERS
    )
    strength: float = param(1.0, "λ: how much sizes count beside discrepancies", search=(0.3, 1.0, 3.0))

    def head(self, target: Domain, source: Domain, training: Training) -> Learned:
        origin = torch.zeros(len(source), dtype=torch.long) if source.origin is None else source.origin
        places = [(origin == one).nonzero().squeeze(1) for one in origin.unique()]
        found = [discrepancy(source[rows], target, training.seed) for rows in places]
        sizes = torch.tensor([*map(len, places), len(target)], dtype=torch.float64)
        alpha = source_weights(torch.tensor([*found, 0.0]), sizes, self.strength)
        worth = 1 / (alpha.square() / sizes).sum()  # equal samples
        each = torch.empty(len(source), dtype=torch.float64)
        for rows, share in zip(places, worth * alpha / sizes, strict=False):
            each[rows] = share
        weight = torch.cat([each, (worth * alpha[-1] / sizes[-1]).expand(len(target))])
        own = [torch.ones(len(d)) if d.weight is None else d.weight for d in (source, target)]
        both = Domain(
            torch.cat([source.x, target.x]),
            torch.cat([source.labels, target.labels]),
            target.asked,
            weight=weight * torch.cat(own),
        )
        head = learner_of(self.learner, target.asked).head(both[both.weight > 0], training)
        return Learned(head, {"alpha": alpha.tolist(), "discrepancies": found, "worth": float(worth)})


def discrepancy(s: Domain, t: Domain, seed: int) -> float:
    """max_h |R_S(h) − R_T(h)| over linear h, as far as logistic regression finds it, on held-out samples.

    h is taught the labels of one side and every other class than the label on the other side, each side
    weighing half, which minimises R_S(h) − R_T(h); and the other way round. What differs on samples that were
    held out is not more than the maximum but by chance, and below 0 it is 0.
    """
    k = s.classes.width
    u, _, _ = scaled(torch.cat([s.x, t.x]))
    y = torch.cat([s.labels, t.labels])
    of_t = torch.arange(len(y)) >= len(s)
    sides = Domain(u, y + k * of_t, Classes(tuple(map(str, range(2 * k)))))
    held_out = stratified_folds(sides, FOLDS, seed)
    if not held_out:
        return 0.0  # one sample of a class on each side tells nothing
    return max(_held_out(u, y, k, of_t, wrong, held_out) for wrong in (of_t, ~of_t))


def _held_out(u: Tensor, y: Tensor, k: int, of_t: Tensor, wrong: Tensor, held_out: list[Tensor]) -> float:
    """R(wrong side) − R(right side) of what was taught other labels on the wrong side."""
    n = len(y)
    other = (y[:, None] + torch.arange(1, k)) % k  # n k−1
    row = torch.arange(n).repeat_interleave(k - 1)
    taught = torch.where(wrong[:, None], other, y[:, None]).flatten()
    weight = torch.where(of_t, 1 / of_t.sum(), 1 / (~of_t).sum()).double() * n / 2 / (k - 1)
    outside = torch.stack([torch.isin(row, complement(rows, n)) for rows in held_out])
    fits = fit_logistic_each(
        u[row],
        taught,
        k,
        [kept.nonzero().squeeze(1) for kept in outside],
        [[] for _ in held_out],
        relative=True,
        strengths=(1.0,),
        weight=weight[row],
        tolerance=PREDICTS,
    )
    error = torch.full((n,), torch.nan, dtype=torch.float64)
    for rows, fit in zip(held_out, fits, strict=True):
        error[rows] = ((u[rows] @ fit.weight.T + fit.bias).argmax(1) != y[rows]).double()
    apart = error[wrong].nanmean() - error[~wrong].nanmean()
    return max(0.0, float(apart.nan_to_num(0.0)))
