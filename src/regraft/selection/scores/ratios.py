"""Means of ratios of sums: the form that R², F1, accuracies and overlaps share."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor


@final
@dataclass(frozen=True, eq=False)
class Ratios:
    """m = (1/p) Σⱼ mⱼ,  mⱼ = Σᵢ aᵢⱼ / Σᵢ bᵢⱼ,  over p parts and n samples

    above, below: a and b for each repeat of the predictions, r × n × p; sums run over repeats too. A part
    whose b are all 0 has no say.

    >>> right, one = torch.tensor([[[1.0], [0.0], [1.0], [1.0]]]), torch.ones(1, 4, 1)
    >>> accuracy = Ratios(right, one)
    >>> accuracy.value, [round(c, 6) for c in accuracy.contributions().tolist()]
    (0.75, [1.0, 0.0, 1.0, 1.0])
    """

    above: Float[Tensor, "r n p"]
    below: Float[Tensor, "r n p"]

    @property
    def value(self) -> float:
        return float(self.values(self.above.new_ones(1, self.above.shape[1])))

    def first(self, repeats: int) -> "Ratios":
        """Of the first few repeats alone."""
        return Ratios(self.above[:repeats], self.below[:repeats])

    def values(self, times: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """m where the samples count as often as that, for each of b resamples."""
        above, below = times @ self.above.mean(0), times @ self.below.mean(0)
        here = below > 0
        ratio: Tensor = (above / below.where(here, 1.0) * here).sum(1) / here.sum(1).clamp_min(1)
        return ratio

    def contributions(self) -> Float[Tensor, " n"]:
        """cᵢ = m − (n − 1) (m₍ᵢ₎ − mean of m₍.₎),  m₍ᵢ₎ = m without sample i: their mean is m

        How they vary is how m does (the jackknife), so that the interval of their mean is that of m. What
        always says the mean has R² near 0 whatever is drawn, and so hardly any spread; (y − ŷ)² over a fixed
        variance would give it some. The only sample of a part takes nothing away from it.
        Efron, The Jackknife, the Bootstrap and Other Resampling Plans, SIAM 1982, chapter 3.
        """
        a, b = self.above.mean(0), self.below.mean(0)
        others = b.sum(0) - b
        here = b.sum(0) > 0
        m = a.sum(0) / b.sum(0).where(here, 1.0)
        rest = others > 1e-12 * b.sum(0)
        without = torch.where(rest, (a.sum(0) - a) / others.where(rest, 1.0), m)
        m, without = (part[..., here].sum(-1) / max(int(here.sum()), 1) for part in (m, without))
        contributed: Tensor = m - (len(a) - 1) * (without - without.mean())
        return contributed
