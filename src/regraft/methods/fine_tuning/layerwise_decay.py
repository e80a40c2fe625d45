"""All layers from the start, earlier ones a little slower."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...method import param
from ...schedule import Schedule
from .tuned import Tuned


@final
@dataclass(frozen=True, kw_only=True)
class LayerwiseDecay(Tuned):
    """min_{η,β} (1/n) Σ ℓ(φ_η(xᵢ)ᵀβ, yᵢ)  from pretrained η, stage i with the rate r · d^(L−1−i)

    Nothing is ever frozen: the rates alone, d = `decay` of the next stage's, protect what pretraining found.
    The recipe of fine-tuned transformers; the head starts as the linear probe, so nothing has to wait for it.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> LayerwiseDecay(held_out=0.0).fit(Problem(target_labelled=data), small_mlp(1)).predict([[0.2], [0.9]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Clark et al., ELECTRA, ICLR 2020, arXiv:2003.10555; Bao et al., BEiT, 2021"
    map: ClassVar[tuple[str, ...]] = ("M06",)

    decay: float = param(0.75, "rate of a stage over that of the next", search=(0.65, 0.75, 0.9))

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (0.0,) * stages, 1 / self.decay)
