"""Matched scales: every column of the source takes on the target's mean and spread."""

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from ...heads.affine import Affine
from ...method import param
from ...training import Training
from ..both_sides import OnBothSides, Seen, Sides


@final
@dataclass(frozen=True, kw_only=True)
class MatchedScales(OnBothSides):
    """z_s ↦ r ∘ (z_s − z̄_s) + z̄_t,  r_j² = (v_t,j + ε v̄) / (v_s,j + ε v̄),  v the variances of the columns

    With `scales="one"` r is the same for all columns, from their mean variances; with "none" it is 1, and
    means alone are matched. v̄ is the mean variance over columns and sides. It helps where another device,
    place or light moves and stretches the features, each for itself, and needs few samples; CORAL matches
    correlations as well, and needs many. Where the classes' proportions differ, it moves classes onto each
    other, as all matching of moments does.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> lab = Domain([[0.0, 5.0], [0.0, 6.0], [4.0, 5.0], [4.0, 6.0]], ["low", "low", "high", "high"])
    >>> field = Domain(lab.x * torch.tensor([3.0, 0.5]) + 20)
    >>> MatchedScales().fit(Problem(source=lab, target=field), vectors()).predict(field)
    ['low', 'low', 'high', 'high']
    """

    reference: ClassVar[str] = "Li et al., AdaBN, 2016, arXiv:1603.04779, Algorithm 1, on features"
    map: ClassVar[tuple[str, ...]] = ("M29",)

    scales: Literal["none", "one", "each"] = param(
        "each", "whether one spread or that of each column is matched", search=("none", "one", "each")
    )
    ridge: float = param(0.01, "ε: how much narrow columns keep their spread", search=(0.0, 0.01, 0.1))

    def sides(self, seen: Seen, training: Training) -> Sides:
        x = seen.source.x
        assert isinstance(x, Tensor)
        ratio = self._ratio(x, seen.target)
        shift = seen.target.mean(0) - ratio * x.mean(0)
        head = self.taught_by(seen.source.with_(x=ratio * x + shift), training)
        return Sides(head, Affine.of_scale(ratio, shift).then(head))

    def _ratio(self, source: Float[Tensor, "n d"], target: Float[Tensor, "m d"]) -> Float[Tensor, " d"]:
        """r, 1 where nothing varies."""
        of_source, of_target = (side.var(0, correction=0) for side in (source, target))
        if self.scales == "none":
            return torch.ones_like(of_source)
        if self.scales == "one":
            of_source, of_target = (v.mean().expand_as(v) for v in (of_source, of_target))
        own = self.ridge * (of_source.mean() + of_target.mean()) / 2
        there = (of_source + own > 0) & (of_target + own > 0)
        return torch.where(there, (of_target + own) / (of_source + own), 1.0).sqrt()
