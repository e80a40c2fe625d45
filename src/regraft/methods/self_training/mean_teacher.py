"""MeanTeacher: probabilities of a changed sample are those of the network's own moving average."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from ...augmentation import Augmentation
from ...method import param
from ...trained import Network
from ...training import Step, Terms
from ..consistency import Consistency, noisy, weak_of


@final
@dataclass(frozen=True, kw_only=True)
class MeanTeacher(Consistency):
    """min_{η,β}  R_S(φ_η, β) + λ ( (1/m) Σ_j s_j (1/K) Σ_c (p_jc − q_jc)² + b s̄ Σ_c BCE(p̄_c, 1/K) )

    p_j is what the network says of sample j of the target, q_j what its moving average says of it, changed
    otherwise; s_j is 1 where max_c q_jc ≥ τ and 0 elsewhere, s̄ its mean; p̄ the mean of p over the batch. The
    network is told to agree where the average is sure, and learns from what training passed through. It helps
    where the source is mostly right about the target; where it is surely wrong it stays so. The second term
    keeps one class from taking all, and is wrong where classes have other proportions than equal ones: b = 0.
    λ = 0 is SourceTuned.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> MeanTeacher().fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "French et al., ICLR 2018, arXiv:1706.05208, section 3"
    semi: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M26",)
    weighted: ClassVar[str] = "consistency"

    consistency: float = param(3.0, "λ: how much disagreement costs", search=(0.0, 1.0, 3.0, 10.0))
    threshold: float = param(0.968, "τ: from which probability on the teacher is heard", (0.0, 0.9, 0.968))
    balance: float = param(0.005, "b: how much one class may not take all", search=(0.0, 0.005, 0.01))

    @property
    def weak_augmentation(self) -> Augmentation | None:
        # both are changed alike, each by draws of its own
        return self.augmentation if self.weight > 0 else None

    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        q = self.taught_by(network, noisy(weak_of(step), self.noise))
        p = network(self.strong(step)).float().softmax(1)
        sure = (q.amax(1) >= self.threshold).float()
        step.note("sure", sure.mean())
        apart = (sure * (p - q).square().mean(1)).mean()
        uneven = sure.mean() * unbalance(p)
        return {"consistency": self.consistency * apart, "balance": self.consistency * self.balance * uneven}


def unbalance(p: Float[Tensor, "m k"]) -> Float[Tensor, ""]:
    """Σ_c BCE(p̄_c, 1/K), p̄ the mean over the batch: least where all classes are said equally often.

    >>> import torch
    >>> even, one = unbalance(torch.full((3, 2), 0.5)), unbalance(torch.tensor([[0.9, 0.1]]))
    >>> round(even.item(), 3), round(one.item(), 3)
    (1.386, 2.408)
    """
    share, mean = 1 / p.shape[1], p.mean(0).clamp(1e-6, 1 - 1e-6)
    return -(share * mean.log() + (1 - share) * (1 - mean).log()).sum()
