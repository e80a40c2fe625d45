"""All layers, a little, after the head."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...backbone import Backbone
from ...method import Network, Trained, param, warm_then_cosine
from ...problem import Problem
from ...training import FROZEN, Mode, Training
from .starting import probed


@final
@dataclass(frozen=True, kw_only=True)
class FineTune(Trained):
    """min_{η,β} (1/n) Σ ℓ(φ_η(xᵢ)ᵀβ, yᵢ)  from pretrained η: β first, then both with small steps

    β starts at the optimum of the linear probe and, for the first `head_first` of training, learns alone;
    then all stages follow at a tenth of its rate. BatchNorm keeps the statistics of pretraining. Training
    steps back to the moment of the lowest loss on labels it held out. It beats the probe where there are
    some tens of labels a class and the images differ from those of pretraining; with few labels it forgets
    more than it learns, which is why it has to beat the probe before it is handed over.

    >>> import torch
    >>> from regraft.backbone import Backbone
    >>> from regraft.domain import Domain
    >>> phi = Backbone([("a", torch.nn.Linear(1, 8)), ("b", torch.nn.Linear(8, 8))], name="toy")
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> FineTune(held_out=0.0).fit(Problem(target_labelled=data), phi).predict([[0.2], [0.9]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Kumar et al., LP-FT, ICLR 2022, arXiv:2202.10054"
    map: ClassVar[tuple[str, ...]] = ("M04",)

    rate: float = param(1e-3, "learning rate of the head at its height", search=(3e-4, 1e-3, 3e-3))
    stage_rate: float = param(1e-4, "learning rate of the stages at its height", search=(3e-5, 1e-4, 3e-4))
    head_first: float = param(0.1, "share of training in which only the head learns", search=(0.0, 0.1, 0.3))

    def lowest_trained(self, backbone: Backbone) -> int:
        return 0

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        return Network(backbone, probed(backbone, problem, training))

    def schedule(self, parts: int, progress: float) -> list[Mode]:
        head = Mode(self.rate * warm_then_cosine(progress))
        if progress < self.head_first:
            return [*[FROZEN] * (parts - 1), head]
        rest = (progress - self.head_first) / (1 - self.head_first)
        return [*[Mode(self.stage_rate * warm_then_cosine(rest))] * (parts - 1), head]
