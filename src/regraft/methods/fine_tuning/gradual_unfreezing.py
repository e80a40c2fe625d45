"""One stage more at a time, from the head down."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...method import param
from ...schedule import Schedule, gradual_starts
from .tuned import Tuned


@final
@dataclass(frozen=True, kw_only=True)
class GradualUnfreezing(Tuned):
    """min_{η,β} (1/n) Σ ℓ(φ_η(xᵢ)ᵀβ, yᵢ)  from pretrained η, in which stage by stage joins from the top

    The head, at first the linear probe, learns alone; then the last stage joins, then the one before it, the
    first one at `until`. Each earlier stage is `slower` times slower. What a few labels cannot teach is
    touched last and least, so it forgets less than FineTune where labels are few, and costs less: what is
    frozen has no backward pass. Training steps back to the moment of the lowest loss on held-out labels.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> model = GradualUnfreezing(held_out=0.0).fit(Problem(target_labelled=data), small_mlp(1))
    >>> model.predict([[0.2], [0.9]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Howard & Ruder, ULMFiT, ACL 2018, arXiv:1801.06146"
    map: ClassVar[tuple[str, ...]] = ("M05", "M06")

    head_first: float = param(0.1, "share of training in which only the head learns", search=(0.0, 0.1, 0.3))
    until: float = param(0.5, "share of training at which the first stage joins", search=(0.3, 0.5, 0.8))
    slower: float = param(2.6, "how many times slower each earlier stage learns", search=(1.0, 2.6, 5.0))

    def schedule(self, stages: int) -> Schedule:
        starts = gradual_starts(stages, self.head_first, self.until)
        return Schedule(self.rate, self.stage_rate, starts, self.slower)
