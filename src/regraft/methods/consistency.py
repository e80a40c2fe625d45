"""Networks that a moving average of themselves teaches, by what it says of the target's samples."""

import copy
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..augmentation import Augmentation, pixels_in
from ..backbone import Backbone
from ..heads import Linear
from ..method import param
from ..problem import Problem
from ..recount import norms_of
from ..trained import Network
from ..training import Step
from .across import AcrossDomains, target_of

WARM = 9  # the average forgets its first steps: after t of them it remembers (1 + t) / (10 + t) at the most


class Teacher(nn.Module):
    """θ̄ ← θ̄ + (1 − m) (θ − θ̄),  m = min(memory, (1 + t) / (10 + t)), after step t; no gradient reaches it

    What BatchNorm counts it counts itself, of the target alone, wherever the network's own is counted anew.

    Tarvainen & Valpola, NeurIPS 2017, arXiv:1703.01780, eq. 1.
    """

    steps: Int[Tensor, ""]

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone = copy.deepcopy(backbone)
        self.head = copy.deepcopy(head)
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def follow(self, network: Network, memory: float) -> None:
        """One step after the network."""
        t = int(self.steps)
        share = 1 - min(memory, (1 + t) / (1 + WARM + t))
        own: list[Tensor] = [*self.backbone.parameters(), *self.head.parameters()]
        theirs: list[Tensor] = [*network.backbone.parameters(), *network.head.parameters()]
        torch._foreach_lerp_(own, theirs, share)
        self.steps += 1

    @torch.no_grad()
    def probabilities(self, x: Tensor, network: Network) -> Float[Tensor, "m k"]:
        """What it says of x, seen by x's own statistics wherever the network sees its batches so."""
        for own, theirs in zip(norms_of(self.backbone), norms_of(network.backbone), strict=True):
            own.train(theirs.training)
        scores: Tensor = self.head(self.backbone(x.to(self.steps.device)).flatten(1))
        return scores.float().softmax(1)

    def replace(self, network: Network) -> None:
        """The network becomes what its teacher is."""
        network.backbone.load_state_dict(self.backbone.state_dict())
        network.head.load_state_dict(self.head.state_dict())


@dataclass(frozen=True, kw_only=True)
class Consistency(AcrossDomains):
    """A network that has to say of a changed sample of the target what its teacher says of the sample.

    Pictures are changed by the switches of `Trained`, and for the teacher half as much and in shape alone;
    vectors, and what comes from behind frozen stages, by Gaussian noise. The teacher, not the network, is
    what is used in the end.
    """

    memory: float = param(
        0.99, "share of its weights that the teacher keeps in a step; 0: no teacher", (0.0, 0.99, 0.999)
    )
    noise: float = param(
        0.3, "noise on vectors, in units of the spread of a column within the batch", search=(0.0, 0.1, 0.3)
    )

    @property
    def weak_augmentation(self) -> Augmentation | None:
        if self.weight == 0:
            return None
        return Augmentation(crop=(1 + self.crop) / 2, flip=self.flip, affine=self.affine / 2)

    def network(self, backbone: Backbone, head: Linear, problem: Problem) -> Network:
        taught = self.weight > 0 and self.memory > 0
        return Network(backbone, head, following={"teacher": Teacher(backbone, head)} if taught else {})

    def after_step(self, network: Network, step: Step) -> None:
        if (teacher := teacher_of(network)) is not None:
            teacher.follow(network, self.memory)

    def finish(self, network: Network) -> None:
        if (teacher := teacher_of(network)) is not None:
            teacher.replace(network)

    def taught_by(self, network: Network, x: Tensor) -> Float[Tensor, "m k"]:
        """The probabilities to go by, of the teacher or, without one, of the network as it is."""
        if (teacher := teacher_of(network)) is not None:
            return teacher.probabilities(x, network)
        with torch.no_grad():
            scores: Tensor = network(x)
        return scores.float().softmax(1)

    def strong(self, step: Step) -> Tensor:
        """The target's batch as the network sees it."""
        return noisy(target_of(step), self.noise)


def teacher_of(network: Network) -> Teacher | None:
    """The teacher that follows the network, if there is one."""
    if "teacher" not in network.following:
        return None
    teacher = network.following["teacher"]
    assert isinstance(teacher, Teacher)
    return teacher


def weak_of(step: Step) -> Tensor:
    """The target's batch as the teacher sees it."""
    assert step.weak is not None
    return step.weak


def noisy(x: Tensor, noise: float) -> Tensor:
    """x + noise · σ · ε, σ the spread of each column within the batch; pixels stay what they are.

    >>> noisy(torch.tensor([[1.0], [1.0]]), 0.5).tolist()
    [[1.0], [1.0]]
    """
    if noise == 0 or pixels_in(x):
        return x
    return x + noise * x.std(0, correction=0) * torch.randn_like(x)
