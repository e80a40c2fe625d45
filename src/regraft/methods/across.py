"""Networks trained on a labelled source for a target without labels."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..backbone import Backbone
from ..domain import Domain
from ..features import embed
from ..heads import Linear
from ..method import param
from ..output import Classes
from ..problem import Problem
from ..schedule import Schedule
from ..surgery import draw_anew
from ..terms.risk import risk
from ..trained import Network, Trained, new_head
from ..training import Step, Terms, Training
from .features.probe import probe_of


@dataclass(frozen=True, kw_only=True)
class AcrossDomains(Trained):
    """min_{η,β} (1/n) Σ ℓ(φ_η(xᵢ)ᵀβ, yᵢ) over the source + terms of the target without labels

    A pretrained network starts with the probe of the source as its head, and its last `trained` stages learn;
    an untrained one starts from random weights and learns as a whole. No labels are kept to watch: the loss
    on the source says nothing about the best moment for the target, so the last one is taken.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"source", "target"})
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    taught: ClassVar[str] = "source"

    trained: int = param(1, "stages of a pretrained network that learn, counted from the end", (1, 2, 4))
    held_out: float = param(0.0, "share of the source that watches for the best moment", search=(0.0, 0.2))
    rate: float = param(1e-3, "learning rate of the head at its height", search=(3e-4, 1e-3, 3e-3))
    stage_rate: float = param(5e-4, "learning rate of the stages at its height", search=(1e-4, 5e-4, 2e-3))
    statistics: bool = param(
        False, "whether BatchNorm of a pretrained network's stages is counted anew", search=(False, True)
    )

    def lowest_trained(self, backbone: Backbone) -> int:
        return max(0, len(backbone) - self.trained) if backbone.pretrained else 0

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        return self.network(backbone, first_head(backbone, problem.domains["source"], training), problem)

    def network(self, backbone: Backbone, head: Linear, problem: Problem) -> Network:
        """The network with whatever learns beside it, before the first step."""
        return Network(backbone, head)

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (0.0,) * stages, statistics=self.statistics)

    def objective(self, network: Network, step: Step) -> Terms:
        source = step.batch.domains["source"]
        assert isinstance(source.x, Tensor)
        z = network.features(source.x)
        told = {"risk": risk(network.head(z), source)}
        return {**told, **self.transfer(network, step, z)} if self.weight > 0 else told

    @property
    @abstractmethod
    def weight(self) -> float:
        """How much the target's terms count; at 0 they are not computed, and what is left is the source."""

    @abstractmethod
    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        """The target's terms, weighted; `source` are the features of the source's batch."""


def flat(domain: Domain) -> Domain:
    """The domain with a vector for each sample."""
    assert isinstance(domain.x, Tensor)
    return domain.with_(x=domain.x.flatten(1))


def target_of(step: Step) -> Tensor:
    """The target's batch."""
    x = step.batch.domains["target"].x
    assert isinstance(x, Tensor)
    return x


def critic_of(features: int, width: int) -> nn.Sequential:
    """Two layers that tell one domain from another, of scores above 0 for the source."""
    return nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, 1))


def sides_of(source: Float[Tensor, "n d"], target: Float[Tensor, "m d"]) -> Float[Tensor, " k"]:
    """1 for every sample of the source, 0 for the target's, as the critic sees them: the source first."""
    return torch.cat([torch.ones(len(source)), torch.zeros(len(target))]).to(source.device)


def first_head(backbone: Backbone, source: Domain, training: Training) -> Linear:
    """The probe of the source on a pretrained network; a random head on one whose weights are drawn anew."""
    if backbone.pretrained:
        solved = probe_of(source.asked).head(flat(embed(backbone, source, None, training.engine)), training)
        assert isinstance(solved, Linear)
        return Linear.of(solved.weight.detach().float(), solved.bias.detach().float())
    draw_anew(backbone)
    seen = embed(backbone, source[:1]).x
    assert isinstance(seen, Tensor)
    return new_head(seen.flatten(1).shape[1], source.asked)
