"""CORAL between sources: features whose means and covariances are the same in all of them."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from ...domain import Domain
from ...method import param
from ...terms.moments import coral_distance, pairs_of, parts_of
from ...terms.risk import risk
from ...trained import Network
from ...training import Terms
from ..across_sources import AcrossSources


@final
@dataclass(frozen=True, kw_only=True)
class CORALAcross(AcrossSources):
    """min_{η,β} R(φ_η, β) + λ · mean over pairs of sources of (‖z̄ᵢ − z̄ⱼ‖²/d + ‖Cᵢ − Cⱼ‖²_F/d²)

    z̄ and C are mean and covariance of the features of a source's samples in a batch; sources with fewer than
    two there are left out of the step. Nothing of the target is needed: what is the same in all sources may
    be so in a further one. It helps where sources differ in looks alone, and there are several of them. Where
    classes have other proportions from source to source it aligns the wrong ones. Pooled training is hard to
    beat: on the benchmarks of DomainBed no method did so by more than a point on average. λ = 0 is that.

    >>> from regraft import Problem
    >>> from regraft.backbones import small_mlp
    >>> from regraft.pooling import pooled
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.3]], ["low", "high"])
    >>> both = pooled({"lab": lab, "field": field})
    >>> CORALAcross().fit(Problem(source=both), small_mlp(1)).predict([[0.1], [1.2]])
    ['low', 'high']
    """

    reference: ClassVar[str] = (
        "Sun & Saenko, 2016, arXiv:1607.01719; Gulrajani & Lopez-Paz, ICLR 2021, arXiv:2007.01434"
    )
    map: ClassVar[tuple[str, ...]] = ("M34",)

    coral_weight: float = param(1.0, "λ: how much alike all sources should be", search=(0.0, 0.1, 1.0, 10.0))

    def across(self, network: Network, z: Float[Tensor, "n d"], source: Domain) -> Terms:
        told = {"risk": risk(network.head(z), source)}
        pairs = pairs_of(parts_of(z, source.origin.to(z.device), least=2))
        if not pairs or self.coral_weight == 0:
            return told
        apart = torch.stack([coral_distance(a, b) for a, b in pairs]).mean()
        return {**told, "coral": self.coral_weight * apart}
