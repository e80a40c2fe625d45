"""DeepJDOT: features and answers of the target that are cheap to transport the source to."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from ...backbone import Backbone
from ...domain import Domain
from ...heads import Linear
from ...heads.kernel import squared_distances
from ...method import param
from ...problem import Problem
from ...terms.transport import cheapest_plan, import_ot
from ...trained import Network
from ...training import Step, Terms
from ..across import AcrossDomains, target_of


@final
@dataclass(frozen=True, kw_only=True)
class DeepJDOT(AcrossDomains):
    """min_{η,β,γ}  R_S(φ_η, β) + λ Σ_ij γ_ij M_ij,  M_ij = α ‖z_s,i − z_t,j‖² + ℓ(z_t,jᵀβ, y_s,i)

    z = φ_η(x), and γ is the cheapest plan that sends the samples of the source's batch to those of the
    target's, all of one mass; it is solved anew for every batch, and then held while the network learns. So a
    sample of the target learns the labels of those that are sent to it, and features draw near along the
    plan. It helps where the target is the source moved, each class towards its own. All of the source has to
    arrive somewhere: where classes have other proportions in the target, samples arrive in wrong ones. λ = 0
    is SourceTuned. Needs POT.

    >>> import pytest
    >>> _ = pytest.importorskip("ot")
    >>> from regraft import Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> DeepJDOT().fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Damodaran et al., ECCV 2018, arXiv:1803.10081, eq. 5 and algorithm 1"
    map: ClassVar[tuple[str, ...]] = ("M29",)
    weighted: ClassVar[str] = "transport_weight"

    transport_weight: float = param(1.0, "λ: how much transport costs", search=(0.0, 0.1, 1.0))
    distance: float = param(
        0.1, "α: what a squared distance of features costs, in units of the loss", search=(0.01, 0.1, 1.0)
    )

    def network(self, backbone: Backbone, head: Linear, problem: Problem) -> Network:
        if self.weight > 0:
            import_ot()  # said before the first step
        return Network(backbone, head)

    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        target = network.features(target_of(step))
        apart = self.distance * squared_distances(source, target)
        cost = apart + losses(network.head(target), step.batch.domains["source"]).to(apart)
        return {"transport": self.transport_weight * (cheapest_plan(cost) * cost).sum()}


def losses(logits: Float[Tensor, "m k"], source: Domain) -> Float[Tensor, "n m"]:
    """ℓ(f(x_t,j), y_s,i) for every pair: −log p_y(x_t,j).

    >>> import torch
    >>> losses(torch.zeros(1, 2), Domain([[0.0], [1.0]], ["owl", "crow"])).exp()
    tensor([[2.],
            [2.]])
    """
    return -logits.log_softmax(1).T[source.labels.to(logits.device)]
