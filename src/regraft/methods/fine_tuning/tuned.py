"""What all fine-tuning starts from, and what every kind of it may do besides."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Beta

from ...backbone import Backbone
from ...features import embed
from ...heads import Linear
from ...method import Network, Trained, param
from ...output import OUTPUTS, Classes, Mask
from ...problem import Problem
from ...terms.risk import risk
from ...terms.smoothing import uniform_risk
from ...training import Step, Terms, Training
from ..features.probe import probe_of
from ..segmentation.pixel_probe import PixelProbe


@dataclass(frozen=True, kw_only=True)
class Tuned(Trained):
    """A borrowed network and a head that starts as the linear probe; recipes say who learns when.

    Three switches that all of them have: labels of classes smoothed by ε; mixup, where x̃ = λ x + (1 − λ) x′
    is to be told as λ y + (1 − λ) y′, λ ~ Beta(α, α), which needs some hundreds of labels to help; and the
    average of what came out with what it started from, θ = (1 − a) θ⁰ + a θ¹ (WiSE-FT, Wortsman et al., CVPR
    2022, arXiv:2109.01903), which keeps more of what pretraining knew of other looks.
    """

    outputs: ClassVar[frozenset[str]] = frozenset(OUTPUTS)

    rate: float = param(1e-3, "learning rate of the head at its height", search=(3e-4, 1e-3, 3e-3))
    stage_rate: float = param(
        1e-4, "learning rate of the last stage at its height", search=(3e-5, 1e-4, 3e-4)
    )
    smoothing: float = param(0.0, "ε, by which labels are smoothed", search=(0.0, 0.1))
    mixup: float = param(0.0, "α of mixup; 0 mixes nothing", search=(0.0, 0.2))
    mixup_from: int = param(500, "labels below which nothing is mixed", search=(500,))
    average: float = param(
        1.0, "a, the share of the trained network in its average with the start", (0.5, 1.0)
    )

    def lowest_trained(self, backbone: Backbone) -> int:
        return 0

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        head = probed(backbone, problem, training)
        network = Started(backbone, head)
        network.mixes = self.mixup > 0 and len(problem.domains["target_labelled"]) >= self.mixup_from
        return network

    def objective(self, network: Network, step: Step) -> Terms:
        assert isinstance(network, Started)
        labelled = step.batch.domains["target_labelled"]
        assert isinstance(labelled.x, Tensor)
        if network.mixes:
            share = Beta(self.mixup, self.mixup).sample()
            partner = torch.randperm(len(labelled))
            scores = network(share * labelled.x + (1 - share) * labelled.x[partner])
            told = share * risk(scores, labelled) + (1 - share) * risk(scores, labelled[partner])
        else:
            scores = network(labelled.x)
            told = risk(scores, labelled)
        if self.smoothing == 0 or not isinstance(labelled.output, Classes):
            return {"risk": told}
        return {"risk": (1 - self.smoothing) * told, "smoothing": self.smoothing * uniform_risk(scores)}

    def finish(self, network: Network) -> None:
        assert isinstance(network, Started)
        if self.average < 1:
            network.blend(self.average)


class Started(Network):
    """A network that remembers where it started."""

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__(backbone, head)
        self.mixes = False
        self.began = {name: p.detach().clone() for name, p in self.named_parameters()}

    @torch.no_grad()
    def blend(self, share: float) -> None:
        """θ = (1 − a) θ⁰ + a θ¹ for every parameter."""
        for name, p in self.named_parameters():
            p.lerp_(self.began[name].to(p.device), 1 - share)


def probed(backbone: Backbone, problem: Problem, training: Training) -> nn.Module:
    """The linear probe on the features before training, in float32, free to be trained."""
    features = embed(backbone, problem.domains["target_labelled"], None, training.engine)
    assert isinstance(features.x, Tensor)
    if isinstance(features.output, Mask):
        return PixelProbe().heads(features, [torch.arange(len(features))], backbone, training)[0]
    solved = probe_of(features.asked).head(features.with_(x=features.x.flatten(1)), training)
    assert isinstance(solved, Linear)
    return Linear.of(solved.weight.detach().float(), solved.bias.detach().float())
