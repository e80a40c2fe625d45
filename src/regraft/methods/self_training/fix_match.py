"""FixMatch: what is surely said of a sample hardly changed is the label of the sample changed strongly."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from ...method import param
from ...trained import Network
from ..matching import Heard, Matching


@final
@dataclass(frozen=True, kw_only=True)
class FixMatch(Matching):
    """min_{η,β}  R_S(φ_η, β) + λ μ(p) (1/m) Σ_j 1[max_c q_jc ≥ τ] CE(argmax_c q_jc, f(x̃_j))

    q_j is what the teacher says of sample j without a label, hardly changed, f(x̃_j) what the network says of
    it changed strongly; μ(p) rises to 1 over the first `ramp` of training. It helps where a strong change is
    known that changes no class, and what is said with τ is mostly right: then labels spread from samples that
    are sure to those that are changed into likeness with them. It harms where the network is surely wrong,
    which few labels make it; and with a τ that a class never reaches, this class learns nothing more and is
    swallowed by others. λ = 0 is SourceTuned.

    The paper has the network as its own teacher (`memory` 0), μ = 1, and batches of the pool seven times as
    large as those of the labelled samples.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> few = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> pool = Domain([[0.2], [0.05], [1.15], [1.2]])
    >>> FixMatch().fit(Problem(target_labelled=few, unlabelled=pool), small_mlp(1)).predict([[0.2], [1.2]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Sohn et al., NeurIPS 2020, arXiv:2001.07685, section 2.2"
    semi: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M26",)

    threshold: float = param(0.95, "τ: least probability of a label", search=(0.7, 0.9, 0.95))

    def heard(self, network: Network, says: Float[Tensor, "n k"], q: Float[Tensor, "m k"]) -> Heard:
        return Heard(q, (q.amax(1) >= self.threshold).float())
