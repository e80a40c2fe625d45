"""WDGRL: features of which the domains are near each other by the Wasserstein distance."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...backbone import Backbone
from ...heads import Linear
from ...method import param
from ...problem import Problem
from ...trained import Network, Turn
from ...training import Step, Terms
from ..across import AcrossDomains, critic_accuracy, critic_of, sides_of, target_of


@final
@dataclass(frozen=True, kw_only=True)
class WDGRL(AcrossDomains):
    """In turn  n times max_D W − γ G,  then min_{η,β} R_S(φ_η, β) + λ W;  W = mean D(z_s) − mean D(z_t)

    z = φ_η(x). With a critic D of slope 1 at the most, the largest W is the Wasserstein distance of the
    features of the two domains; G = mean (‖∇D(z)‖ − 1)² keeps the slope, at the features of both and at
    points drawn between them. The distance has a gradient also where the domains lie apart and the critic of
    DANN is certain. It helps where the two look different and mean the same. Where the target is the source
    turned it may match the wrong classes (half moons, turned far, in one of the settings tried), and where
    classes have other proportions in the target it carries some of them into others. It costs n more passes
    a step. λ = 0 is SourceTuned.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> WDGRL(least_steps=100).fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Shen et al., AAAI 2018, arXiv:1707.01217, eq. 2 to 5 and algorithm 1"
    map: ClassVar[tuple[str, ...]] = ("M31", "M29")
    weighted: ClassVar[str] = "distance_weight"

    distance_weight: float = param(0.3, "λ: how much distance costs", search=(0.0, 0.1, 0.3, 1.0))
    critic_width: int = param(128, "hidden units of the critic", search=(64, 128, 1024))
    critic_steps: int = param(5, "n: steps of the critic to one of the network", search=(1, 5, 10))
    slope: float = param(10.0, "γ: what a slope other than 1 costs the critic", search=(1.0, 10.0))

    def network(self, backbone: Backbone, head: Linear, problem: Problem) -> Network:
        return Network(backbone, head, beside={"critic": critic_of(head.weight.shape[1], self.critic_width)})

    def turns_across(self, network: Network) -> list[Turn]:
        return [
            Turn(self.estimate, [network.beside["critic"]], self.critic_steps),
            Turn(self.objective, [*network.backbone.stages, network.head]),
        ]

    def estimate(self, network: Network, step: Step) -> Terms:
        x = step.batch.domains["source"].x
        assert isinstance(x, Tensor)
        critic, z_s, z_t = network.beside["critic"], network.features(x), network.features(target_of(step))
        scores_s, scores_t = critic(z_s).squeeze(1), critic(z_t).squeeze(1)
        middle = (scores_s.mean() + scores_t.mean()) / 2
        step.note(
            "critic accuracy", critic_accuracy(torch.cat([scores_s, scores_t]) - middle, sides_of(z_s, z_t))
        )
        n = min(len(z_s), len(z_t))
        share = torch.rand(n, 1).to(z_s)
        between = share * z_s[:n] + (1 - share) * z_t[:n]
        slope = self.slope * steepness(critic, torch.cat([z_s, z_t, between]))
        return {"estimate": scores_t.mean() - scores_s.mean(), "slope": slope}

    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        step.note("strength", self.distance_weight)
        critic, target = network.beside["critic"], network.features(target_of(step))
        return {"distance": self.distance_weight * (critic(source).mean() - critic(target).mean())}


def steepness(critic: nn.Module, z: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """mean (‖∇D(z)‖ − 1)²

    >>> plane = nn.Linear(2, 1)
    >>> _ = nn.init.constant_(plane.weight, 3.0)
    >>> round(steepness(plane, torch.zeros(5, 2)).item(), 3)
    10.515
    """
    z = z.detach().requires_grad_(True)
    slope = torch.autograd.grad(critic(z).sum(), z, create_graph=True)[0]
    # away from 0, at which the norm has no gradient
    return ((slope.square().sum(1) + 1e-12).sqrt() - 1).square().mean()
