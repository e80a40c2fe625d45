"""One direction along which the domains agree, and pseudo-labels from there."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...diagnosis.direction import shared_direction
from ...heads.principal import principal
from ...method import param
from ...output import Classes
from ...training import Training
from ..both_sides import OnBothSides, Seen, Sides
from ..features.learners import LEARNERS

SHARES = (0.5, 0.7, 0.9)  # of what is told to be of a class, from round to round
LEAST = 5  # samples of every class, without which nothing is learned from the target


@final
@dataclass(frozen=True, kw_only=True)
class SharedDirection(OnBothSides):
    """h(uᵀz), u = argmax log Σ_c π_c MMD²(s_c, s) − log MMD²(s, t);  then h′(z_t) from the surest of h(uᵀz_t)

    Along u the domains look alike and the classes of the source do not (`diagnosis.direction`). A learner
    takes the classes from there; in all other directions the domains differ, and the target is learned anew
    from the samples of which that learner is surest, half of each class first. It helps where only a part of
    what is measured means the same in both domains. Where domains differ everywhere, or agree everywhere, the
    direction is chance.

    >>> import torch
    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> luck = torch.Generator().manual_seed(0)
    >>> y, x = torch.arange(200) % 2, torch.randn(200, 2, generator=luck)
    >>> lab = Domain(torch.stack([x[:, 0] + 6 * y, x[:, 1] + 4 * y], 1), y.tolist())
    >>> field = Domain(torch.stack([x[:, 0] + 6 * y, x[:, 1] - 4 * y], 1))
    >>> model = SharedDirection().fit(Problem(source=lab, target=field), vectors())
    >>> (model.logits(field).argmax(1) == y).float().mean().item() > 0.98
    True
    """

    reference: ClassVar[str] = "after Si, Tao & Geng, IEEE TKDE 2010 (TSL), with MMD for the divergence"
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    map: ClassVar[tuple[str, ...]] = ("M29",)

    learner: str = param("kernel", "what learns along the direction and, anew, from the target", LEARNERS)
    components: int = param(32, "principal components in which the direction is looked for", (8, 32))
    refined: bool = param(True, "whether the target is learned anew from the surest", search=(True, False))

    def sides(self, seen: Seen, training: Training) -> Sides:
        space = principal([seen.source.x, seen.target], self.components)
        s, t = space(seen.source.x), space(seen.target)
        along = shared_direction(s, seen.source.labels, t, training.seed)
        head = self.taught_by(seen.source.with_(x=along(s)), training)
        source = along.after(space).then(head)
        target, scores = source, head(along(t))
        for share in SHARES if self.refined else ():
            told = scores.argmax(1)
            kept = surest_of_each(scores.softmax(1).amax(1), told, share)
            counts = torch.bincount(told[kept], minlength=scores.shape[1])
            if counts[seen.source.labels.unique()].min() < LEAST:
                break  # a class would be lost
            taught = seen.source.with_(x=t, y=told, weight=None, group=None, origin=None, observed=None)
            head = self.taught_by(taught[kept], training)
            target, scores = space.then(head), head(t)
        return Sides(target, source)


def surest_of_each(sure: Float[Tensor, " m"], told: Int[Tensor, " m"], share: float) -> Bool[Tensor, " m"]:
    """The surest `share` of the samples that are told to be of a class, for every class.

    >>> surest_of_each(torch.tensor([0.9, 0.6, 0.8, 0.7]), torch.tensor([0, 0, 1, 1]), 0.5).tolist()
    [True, False, True, False]
    """
    kept = torch.zeros(len(told), dtype=torch.bool)
    for c in told.unique().tolist():
        mine = (told == c).nonzero().squeeze(1)
        kept[mine[sure[mine] >= sure[mine].double().quantile(1 - share).to(sure.dtype)]] = True
    return kept
