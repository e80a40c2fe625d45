"""One hidden layer on frozen features."""

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from ...backbone import Backbone
from ...heads import MLP
from ...heads.scaling import scaled
from ...method import param
from ...problem import Problem
from ...schedule import Schedule
from ...trained import Network, Trained
from ...training import Training


@final
@dataclass(frozen=True, kw_only=True)
class MLPHead(Trained):
    """min_{V,W,b,c} (1/n) Σ ℓ(W relu(V u(xᵢ) + c) + b, yᵢ),  u(x) = (φ(x) − φ̄) / s

    φ is frozen, so every step costs the head alone. It bends the border between the classes, which pays
    with some hundreds of labels; with few, LinearProbe is the better choice.

    >>> import torch
    >>> from regraft.backbones import vectors
    >>> from regraft.domain import Domain
    >>> xor = Domain([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["same", "other", "other", "same"])
    >>> MLPHead(held_out=0.0).fit(Problem(target_labelled=xor), vectors()).predict(xor)
    ['same', 'other', 'other', 'same']
    """

    reference: ClassVar[str] = "Rumelhart, Hinton & Williams, Nature 1986"
    map: ClassVar[tuple[str, ...]] = ("M01",)

    hidden: int = param(256, "hidden units", search=(64, 256, 1024))
    dropout: float = param(0.2, "share of hidden units left out in a step", search=(0.0, 0.2, 0.5))
    rate: float = param(1e-3, "learning rate at its height", search=(3e-4, 1e-3, 3e-3))

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        labelled = problem.domains["target_labelled"]
        assert isinstance(labelled.x, Tensor)
        z = labelled.x.flatten(1)
        head = MLP(z.shape[1], self.hidden, labelled.asked.width, self.dropout)
        _, centre, scale = scaled(z)
        head.centre.copy_(centre)
        head.scale.copy_(scale)
        return Network(backbone, head)

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, 0.0, (1.0,) * stages)
