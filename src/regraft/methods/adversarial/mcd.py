"""MCD: two heads look for samples of the target that they answer differently, and features remove them."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from ...backbone import Backbone
from ...heads import Linear
from ...method import param
from ...problem import Problem
from ...terms.discrepancy import disagreement
from ...terms.risk import risk
from ...trained import Network, Turn, new_head
from ...training import Step, Terms
from ..across import AcrossDomains, target_of


@final
@dataclass(frozen=True, kw_only=True)
class MCD(AcrossDomains):
    """In turn  min_{η,β,β'} R,  min_{β,β'} R − λ d,  and n times  min_η λ d;  R = R_S(φ_η, β) + R_S(φ_η, β')

    d is the mean over the target, and over classes, of |p − p'|, how far the probabilities of two heads on
    the same features are apart. Both heads are right about the source, so they differ where the target is
    unlike it, and features learn to leave no such samples. Classes, not domains, are what is looked at, so
    nothing is aligned across a boundary of classes. It starts where the source's classes are mostly right: of
    a target that lies among wrong classes the heads agree, and it stays there. Answers are the first head's;
    in the end the two hardly differ. The more steps features take, the more often one class takes all. λ = 0
    is SourceTuned.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> MCD(least_steps=100).fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Saito et al., CVPR 2018, arXiv:1712.02560, eq. 2 to 7"
    map: ClassVar[tuple[str, ...]] = ("M31",)
    weighted: ClassVar[str] = "disagreement_weight"

    disagreement_weight: float = param(1.0, "λ: how much the heads differ", search=(0.0, 0.3, 1.0, 3.0))
    feature_steps: int = param(2, "n: steps of the features to one of the heads", search=(2, 3, 4))

    def network(self, backbone: Backbone, head: Linear, problem: Problem) -> Network:
        # from random weights, because two heads that start alike would stay alike
        second = new_head(head.weight.shape[1], problem.domains["source"].asked)
        return Network(backbone, head, beside={"second": second})

    def turns_across(self, network: Network) -> list[Turn]:
        heads = [network.head, network.beside["second"]]
        return [
            Turn(self.learn_source),
            Turn(self.spread, heads),
            Turn(self.gather, list(network.backbone.stages), self.feature_steps),
        ]

    def learn_source(self, network: Network, step: Step) -> Terms:
        source = step.batch.domains["source"]
        assert isinstance(source.x, Tensor)
        z = network.features(source.x)
        return {
            "risk": risk(network.head(z), source),
            "second risk": risk(network.beside["second"](z), source),
        }

    def spread(self, network: Network, step: Step) -> Terms:
        return {**self.learn_source(network, step), "spread": -self.apart(network, step)}

    def gather(self, network: Network, step: Step) -> Terms:
        return {"gather": self.apart(network, step)}

    def apart(self, network: Network, step: Step) -> Float[Tensor, ""]:
        """λ d."""
        z = network.features(target_of(step))
        apart = disagreement(network.head(z), network.beside["second"](z))
        return self.disagreement_weight * apart
