"""Mixed samples as probes: whether a mixture is told as what most of it is."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from ...seeds import seed_of
from .trial import LabelFree, Trial

AT_ONCE = 1024  # mixtures in memory together


@final
@dataclass(frozen=True)
class MixVal(LabelFree):
    """½ (mean of 1[ŷ(λ xᵢ + (1 − λ) xⱼ) = ŷ(xᵢ)] where ŷ(xᵢ) = ŷ(xⱼ) + the same where ŷ(xᵢ) ≠ ŷ(xⱼ))

    ŷ is what the candidate says, x what crosses the cut, λ = `share` just above one half; every sample of the
    target is mixed with one other. The first part asks whether what is told alike lies together, the second
    whether boundaries lie halfway between; so may those of labels that are wrong. A candidate that says one
    class of everything passes the first part, and gets 0 for the second, of which there is nothing; one that
    nearly collapsed passes both: it must not choose among methods. In SKADA-Bench's recorded results,
    choosing a method by it cost 14 points or more. Mixtures behind one cut are others than those behind
    another, so networks trained from different stages on are not judged alike. Samples that are no numbers,
    or whole ones that are not colours, cannot be mixed: then it is NaN.

    >>> MixVal().share, MixVal().kind
    (0.55, 'certainty')
    """

    name: ClassVar[str] = "mixed samples"
    short: ClassVar[str] = "MixVal"
    kind: ClassVar[str] = "certainty"
    ranks: ClassVar[bool] = False
    reference: ClassVar[str] = (
        "Hu et al., NeurIPS 2023, Mixed Samples as Probes; arXiv:2407.11676 for its record"
    )
    warning: ClassVar[str] = "prefers candidates that say nearly one class of everything: never rank by it"

    share: float = 0.55

    def __call__(self, trial: Trial) -> float:
        x = trial.problem.domains["target"].x
        mixes = isinstance(x, Tensor) and (x.is_floating_point() or x.dtype == torch.uint8)
        if not mixes or len(x) < 2:
            return torch.nan
        order = torch.randperm(
            len(x), generator=torch.Generator().manual_seed(seed_of(trial.seed, "mixtures"))
        )
        partner = torch.empty_like(order)
        partner[order] = order.roll(1)  # nobody is mixed with himself
        said = trial.of_target.argmax(1)
        kept = torch.cat(
            [
                trial.fitted.target.logits(mixture(x[rows], x[partner[rows]], self.share)).argmax(1)
                == said[rows]
                for rows in torch.arange(len(x)).split(AT_ONCE)
            ]
        ).double()
        alike = said == said[partner]
        across = float(kept[~alike].mean()) if not alike.all() else 0.0
        return (float(kept[alike].mean()) + across) / 2 if alike.any() else across


def mixture(x: Tensor, other: Tensor, share: float) -> Tensor:
    """share · x + (1 − share) · other; colours remain whole numbers.

    >>> mixture(torch.tensor([200, 10], dtype=torch.uint8), torch.tensor([0, 10], dtype=torch.uint8), 0.75)
    tensor([150,  10], dtype=torch.uint8)
    """
    if x.is_floating_point():
        return share * x + (1 - share) * other
    return (share * x.float() + (1 - share) * other.float()).round().to(x.dtype)
