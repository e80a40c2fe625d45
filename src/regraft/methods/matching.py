"""Networks that have to say of a strongly changed sample what is surely said of it hardly changed."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..backbone import Backbone
from ..heads import Linear
from ..method import param
from ..problem import Problem
from ..trained import Network
from ..training import Step, Terms
from .consistency import Consistency, weak_of

REMEMBERED = 0.99  # share of a running mean that a step keeps


class Heard(NamedTuple):
    """What is believed of every sample of the target's batch, and how much it counts."""

    q: Float[Tensor, "m k"]
    weight: Float[Tensor, " m"]


@dataclass(frozen=True, kw_only=True)
class Matching(Consistency):
    """min_{η,β}  R_S(φ_η, β) + λ μ(p) (1/m) Σ_j w_j CE(argmax_c q_jc, f(x̃_j))

    q_j is what the teacher says of sample j of the target, hardly changed, and f(x̃_j) what the network says
    of it changed strongly; recipes say how much a sample counts, w_j, by how sure q_j is.
    μ(p) = ½ − ½ cos(π min(1, p / ramp)) rises with the progress p.
    """

    weighted: ClassVar[str] = "consistency"

    consistency: float = param(1.0, "λ: how much the target's labels count", search=(0.0, 0.3, 1.0))
    ramp: float = param(0.3, "share of training in which the target comes to count", search=(0.1, 0.3, 0.5))
    soft: bool = param(False, "whether labels are distributions", search=(False, True))

    def network(self, backbone: Backbone, head: Linear, problem: Problem) -> Network:
        network = super().network(backbone, head, problem)
        if self.weight > 0 and (remembers := self.memory_of(len(head.weight))) is not None:
            network.following["remembered"] = remembers
        return network

    def memory_of(self, classes: int) -> nn.Module | None:
        """What is remembered from step to step, in buffers, so that a killed run remembers it as well."""
        return None

    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        says = network.head(source.detach()).detach().float().softmax(1)
        q, weight = self.heard(network, says, self.taught_by(network, weak_of(step)))
        step.note("sure", weight.mean())
        scores = network(self.strong(step))
        wrong = cross_entropy(scores, q if self.soft else q.max(1).indices, reduction="none")
        return {"consistency": self.consistency * self.risen(step.progress) * (weight * wrong).mean()}

    @abstractmethod
    def heard(self, network: Network, says: Float[Tensor, "n k"], q: Float[Tensor, "m k"]) -> Heard:
        """What is believed, and how much it counts, by what is said of the source and of the target."""

    def risen(self, progress: float) -> float:
        """μ(p)."""
        return round(0.5 - 0.5 * math.cos(math.pi * min(1.0, progress / self.ramp)), 12)


@torch.no_grad()
def remember(mean: Tensor, value: Tensor) -> None:
    """m ← 0.99 m + 0.01 v.

    >>> mean = torch.tensor([1.0])
    >>> remember(mean, torch.tensor([0.0]))
    >>> round(mean.item(), 2)
    0.99
    """
    mean.lerp_(value, 1 - REMEMBERED)
