"""Deep CORAL: features of which both domains have the same covariance."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from ...method import param
from ...terms.discrepancy import coral
from ...trained import Network
from ...training import Step, Terms
from ..across import AcrossDomains, target_of


@final
@dataclass(frozen=True, kw_only=True)
class DeepCORAL(AcrossDomains):
    """min_{η,β}  R_S(φ_η, β) + λ ‖C_s − C_t‖²_F / 4d²

    C_s and C_t are the covariances of the d features over the batch of each domain. It helps where the target
    has the source's features in other scales and mixtures. Means are matched only as far as covariances
    behind a nonlinear layer tell of them. Covariances of 32 samples are rough: take large batches. Where
    classes have other proportions in the target its covariance is another for a good reason, and to match it
    harms. λ = 0 is SourceTuned.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> DeepCORAL().fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Sun & Saenko, ECCV Workshops 2016, arXiv:1607.01719, eq. 1 and 5"
    map: ClassVar[tuple[str, ...]] = ("M29",)
    weighted: ClassVar[str] = "coral_weight"

    coral_weight: float = param(
        100.0, "λ: how much a difference of covariances costs", search=(0.0, 1.0, 10.0, 100.0)
    )

    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        return {"coral": self.coral_weight * coral(source, network.features(target_of(step)))}
