"""Moment matching: every source and the target have the same moments."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from ...backbone import Backbone
from ...method import param
from ...problem import Problem
from ...terms.moments import moment_distance, pairs_of, parts_of
from ...trained import Network
from ...training import Step, Terms, Training
from ..across import AcrossDomains, target_of
from ..across_sources import origins_of


@final
@dataclass(frozen=True, kw_only=True)
class MomentMatching(AcrossDomains):
    """min_{η,β} R_S + λ Σ_{k=1}^{K} (mean_i ‖E zᵢᵏ − E z_tᵏ‖₂ + mean_{i<j} ‖E zᵢᵏ − E zⱼᵏ‖₂)

    zᵢ are the features of source i, z_t those of the target, powers taken number by number. The sources are
    pulled together as well as each to the target. It helps where several sources surround the target. Where
    one of them is nothing like it, all are pulled to that one too: leave it out, or weigh the sources by
    `Trusted` where the target has some labels. Higher moments of few samples are chance. λ = 0 is
    SourceTuned. The paper's classifiers of single sources are not here: one head learns from all.

    >>> from regraft import Domain
    >>> from regraft.backbones import small_mlp
    >>> from regraft.pooling import pooled
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> both = pooled({"lab": lab, "field": Domain([[0.2], [1.3]], ["low", "high"])})
    >>> street = Domain([[0.2], [1.2]])
    >>> MomentMatching().fit(Problem(source=both, target=street), small_mlp(1)).predict(street)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Peng et al., ICCV 2019, arXiv:1812.01754, eq. 1 and 2"
    map: ClassVar[tuple[str, ...]] = ("M34",)
    weighted: ClassVar[str] = "moment_weight"

    moment_weight: float = param(0.1, "λ: how much alike all domains should be", search=(0.0, 0.01, 0.1, 1.0))
    moments: int = param(2, "K: the highest moment", search=(1, 2, 3))

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        origins_of(problem.domains["source"])
        return super().start(problem, backbone, training)

    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        target = network.features(target_of(step))
        parts = parts_of(source, step.batch.domains["source"].origin.to(source.device))
        apart = torch.stack([moment_distance(part, target, self.moments) for part in parts]).mean()
        if pairs := pairs_of(parts):
            apart = apart + torch.stack([moment_distance(a, b, self.moments) for a, b in pairs]).mean()
        return {"moments": self.moment_weight * apart}
