"""Networks trained on several labelled sources for a domain that nobody has seen."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn

from ..backbone import Backbone
from ..domain import Domain
from ..errors import InputError
from ..method import param
from ..output import Classes
from ..problem import Problem
from ..schedule import Schedule
from ..trained import Network, Trained
from ..training import Step, Terms, Training
from .across import first_head


@dataclass(frozen=True, kw_only=True)
class AcrossSources(Trained):
    """min_{η,β} terms of the losses and features of several sources, which `source.origin` tells apart

    A pretrained network starts with the probe of all sources as its head, and its last `trained` stages
    learn; an untrained one starts from random weights and learns as a whole. `regraft.pooling.pooled` makes
    one domain of several. No labels are kept to watch: the last moment is taken.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"source"})
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    taught: ClassVar[str] = "source"

    trained: int = param(1, "stages of a pretrained network that learn, counted from the end", (1, 2, 4))
    held_out: float = param(0.0, "share of the sources that watches for the best moment", search=(0.0, 0.2))
    rate: float = param(1e-3, "learning rate of the head at its height", search=(3e-4, 1e-3, 3e-3))
    stage_rate: float = param(5e-4, "learning rate of the stages at its height", search=(1e-4, 5e-4, 2e-3))

    def lowest_trained(self, backbone: Backbone) -> int:
        return max(0, len(backbone) - self.trained) if backbone.pretrained else 0

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        source = problem.domains["source"]
        origins_of(source)
        head = first_head(backbone, source, training)
        return Network(backbone, head, following=self.following(source))

    def following(self, source: Domain) -> dict[str, nn.Module]:
        """What the recipe itself changes in every step."""
        return {}

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (0.0,) * stages)

    def objective(self, network: Network, step: Step) -> Terms:
        source = step.batch.domains["source"]
        assert isinstance(source.x, Tensor)
        return self.across(network, network.features(source.x), source)

    @abstractmethod
    def across(self, network: Network, z: Float[Tensor, "n d"], source: Domain) -> Terms:
        """The terms, weighted; z are the features of the batch."""


def origins_of(source: Domain) -> Int[Tensor, " n"]:
    """Which source every sample came from, where several are told apart."""
    if source.origin is None or len(source.origin.unique()) < 2:
        raise InputError(
            "the source is one domain, and several are compared: give regraft.pooling.pooled({name: domain})"
        )
    found: Tensor = source.origin
    return found
