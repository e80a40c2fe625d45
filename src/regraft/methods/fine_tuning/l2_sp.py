"""All layers, held to where they started."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...method import param
from ...schedule import Schedule
from ...terms.starting_point import squared_norm
from ...trained import Network
from ...training import Step, Terms
from .tuned import Started, Tuned


@final
@dataclass(frozen=True, kw_only=True)
class L2SP(Tuned):
    """min_{η,β} (1/n) Σ ℓ(φ_η(xᵢ)ᵀβ, yᵢ) + α/2 ‖η − η⁰‖² + γ/2 ‖β‖²  from pretrained η⁰

    Weight decay pulls a pretrained network towards zero, which is not where it was good. This pulls it back
    to where it started, and only the head, which is new, towards zero. There is no other weight decay. With
    few labels it forgets less than FineTune; with α = 0 it is FineTune without decay.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> L2SP(held_out=0.0).fit(Problem(target_labelled=data), small_mlp(1)).predict([[0.2], [0.9]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Li, Grandvalet & Davoine, ICML 2018, arXiv:1802.01483"
    map: ClassVar[tuple[str, ...]] = ("M04",)

    weight_decay: float = param(0.0, "decay towards zero, as AdamW has it, besides α and γ", search=(0.0,))
    head_first: float = param(0.1, "share of training in which only the head learns", search=(0.0, 0.1, 0.3))
    to_start: float = param(0.1, "α, the pull of the network to its start", search=(0.001, 0.01, 0.1, 1.0))
    to_zero: float = param(0.01, "γ, the pull of the head to zero", search=(0.001, 0.01, 0.1))

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (self.head_first,) * stages)

    def objective(self, network: Network, step: Step) -> Terms:
        assert isinstance(network, Started)
        stages = dict(network.backbone.named_parameters())
        began = [network.began[f"backbone.{name}"] for name in stages]
        return {
            **super().objective(network, step),
            "to start": self.to_start / 2 * squared_norm(stages.values(), began),
            "to zero": self.to_zero / 2 * squared_norm(network.head.parameters()),
        }
