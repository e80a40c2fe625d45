"""Pseudo-labels of the target, the surest first, in proportions that are expected."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ...heads.affine import Affine
from ...heads.linear import Linear
from ...heads.principal import principal
from ...heads.ridge import fit_ridge
from ...method import param
from ...output import Classes
from ...training import Training
from ..both_sides import OnBothSides, Seen, Sides

LEAST = 1e-6  # of the source, in the last round


@final
@dataclass(frozen=True, kw_only=True)
class SelfPaced(OnBothSides):
    """min_W Σ_s ‖W z_s + b − e_y‖² + Σ_{t ∈ T_r} ‖W z_t + b − e_ŷ‖² + α ‖W‖²,  ŷ = argmax of the round before

    z are principal components of the features, each side less its own mean. In round r of R the pseudo-labels
    are taken of T_r, the surest r/R of the samples: of every class c as many as (r/R) π_c m by the margin
    between the two highest scores, where π are the source's proportions; without `proportions`, of every
    class the r/R surest of those that are told to be of it. So one class cannot swallow the others, which is
    how pseudo-labels mostly fail. With `fade` the source weighs 1 − r/R. It helps where the classes of the
    target are clusters that the source's classifier finds at least partly. Where the target's proportions
    are others than the source's, or where it has no clusters, it draws the border through the middle of a
    class and is sure of it.

    >>> import torch
    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> luck = torch.Generator().manual_seed(0)
    >>> x, y = torch.randn(80, 2, generator=luck), torch.arange(80) % 2
    >>> lab = Domain(x + 8 * y[:, None] * torch.tensor([1.0, 0.0]), y.tolist())
    >>> field = Domain(x + 8 * y[:, None] * torch.tensor([0.8, 0.6]) + 9)
    >>> model = SelfPaced().fit(Problem(source=lab, target=field), vectors())
    >>> (model.logits(field).argmax(1) == y).float().mean().item()
    1.0
    """

    reference: ClassVar[str] = "Zou et al., ECCV 2018, arXiv:1810.07911, here with least squares"
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    map: ClassVar[tuple[str, ...]] = ("M25", "M29")

    learner: str = param("ridge", "least squares, which a round costs little", search=("ridge",))
    components: int = param(256, "principal components of all features; 0 keeps them all", (0, 64, 128, 256))
    rounds: int = param(10, "R: rounds until all of the target counts", search=(5, 10, 20))
    ridge: float = param(1.0, "α, in units of a sample's mean square", search=(0.3, 1.0, 3.0))
    proportions: bool = param(True, "whether classes keep the source's proportions", search=(True, False))
    fade: bool = param(False, "whether the source counts less from round to round", search=(False, True))

    def sides(self, seen: Seen, training: Training) -> Sides:
        source, target, k = seen.source, seen.target, seen.source.classes.width
        centred = [x - x.mean(0) for x in (source.x, target)]
        space = principal(centred, self.components)
        z_s, z_t = map(space, centred)
        y = source.labels
        own = torch.ones(len(y), dtype=torch.float64) if source.weight is None else source.weight.double()
        expected = torch.zeros(k, dtype=torch.float64).index_add(0, y, own) / own.sum()
        z, strength = torch.cat([z_s, z_t]), self.ridge * float(z_s.square().sum(0).mean())
        first = fit = fit_ridge(z_s, y, k, strengths=[strength], weight=own)
        for r in range(1, self.rounds + 1):
            scores = z_t @ fit.weight.T + fit.bias
            kept = surest(scores, r / self.rounds, expected if self.proportions else None)
            share = max(1 - r / self.rounds, LEAST) if self.fade else 1.0
            weight, told = torch.cat([share * own, kept.double()]), torch.cat([y, scores.argmax(1)])
            strength = self.ridge * float(weight @ z.square().mean(1))
            fit = fit_ridge(z, told, k, strengths=[strength], weight=weight)
        # what it told itself makes it no surer than the source's labels made it
        factor = first.sharpness / fit.sharpness
        head = Linear.of(factor * fit.weight, factor * fit.bias)
        maps = [space.after(Affine.of_scale(torch.ones(x.shape[1]), -x.mean(0))) for x in (target, source.x)]
        return Sides(maps[0].then(head), maps[1].then(head))


def surest(
    scores: Float[Tensor, "m k"], share: float, expected: Float[Tensor, " k"] | None
) -> Bool[Tensor, " m"]:
    """Of every class the samples that are told to be of it with the widest margins.

    So many as a `share` of the expected proportion of all samples, or of those that are told to be of it.

    >>> scores = torch.tensor([[3.0, 0.0], [2.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> surest(scores, 1.0, torch.tensor([0.5, 0.5])).tolist(), surest(scores, 0.5, None).tolist()
    ([True, True, False, True], [True, True, False, True])
    """
    best = scores.topk(2, dim=1).values
    margin, told = best[:, 0] - best[:, 1], scores.argmax(1)
    kept = torch.zeros(len(scores), dtype=torch.bool)
    for c in range(scores.shape[1]):
        mine = (told == c).nonzero().squeeze(1)
        most = len(mine) if expected is None else float(expected[c]) * len(scores)
        kept[mine[margin[mine].argsort(descending=True, stable=True)[: math.ceil(share * most - 1e-6)]]] = (
            True
        )
    return kept
