"""Each earlier stage slower by a factor."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...method import param
from ...schedule import Schedule
from .tuned import Tuned


@final
@dataclass(frozen=True, kw_only=True)
class DiscriminativeRates(Tuned):
    """min_{η,β} (1/n) Σ ℓ(φ_η(xᵢ)ᵀβ, yᵢ)  from pretrained η, stage i with the rate r / c^(L−1−i)

    Early stages see edges and colours, which most tasks share; late ones see what pretraining was about. So
    each earlier stage learns c times slower (`slower`, 3 to 10), once the head has learned alone. With a
    factor that large the first stages hardly move; `LayerwiseDecay` is the gentle kind.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> model = DiscriminativeRates(held_out=0.0).fit(Problem(target_labelled=data), small_mlp(1))
    >>> model.predict([[0.2], [0.9]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Howard & Ruder, ULMFiT, ACL 2018, arXiv:1801.06146"
    map: ClassVar[tuple[str, ...]] = ("M06",)

    head_first: float = param(0.1, "share of training in which only the head learns", search=(0.0, 0.1, 0.3))
    slower: float = param(3.0, "how many times slower each earlier stage learns", search=(3.0, 5.0, 10.0))

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (self.head_first,) * stages, self.slower)
