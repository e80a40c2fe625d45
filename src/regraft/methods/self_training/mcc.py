"""MCC: no class of the target is mistaken for another."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from ...method import param
from ...terms.confusion import class_confusion
from ...trained import Network
from ...training import Step, Terms
from ..across import AcrossDomains, target_of


@final
@dataclass(frozen=True, kw_only=True)
class MCC(AcrossDomains):
    """min_{η,β}  R_S(φ_η, β) + λ (1/K) Σ_j Σ_{l≠j} C̃_jl,  C_jl = Σ_i w_i p_ij p_il over the target

    p_i are the probabilities of sample i at a temperature, C̃ is C with rows that sum to 1, w_i is larger for
    samples that are surer of a class (`terms.confusion.class_confusion`). Nothing is aligned: borders between
    classes move to where the target has no samples, and as every class counts alike none is given up, as
    plain entropy would. It helps where classes are clusters in the target too; where they overlap, or most of
    a cluster is called wrong, the border goes around the wrong one. A batch should have some samples of every
    class. λ = 0 is SourceTuned.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> MCC().fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Jin et al., ECCV 2020, arXiv:1912.03699, section 3"
    semi: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M26",)
    weighted: ClassVar[str] = "confusion"

    confusion: float = param(1.0, "λ: how much confusion costs", search=(0.0, 0.3, 1.0, 3.0))
    temperature: float = param(2.5, "by which scores are divided", search=(1.5, 2.5, 3.5))

    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        return {"confusion": self.confusion * class_confusion(network(target_of(step)), self.temperature)}
