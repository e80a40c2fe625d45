"""DANN: features by which no critic can tell the domains apart."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ...backbone import Backbone
from ...heads import Linear
from ...method import param
from ...problem import Problem
from ...terms.gradient import reversed_gradient
from ...trained import Network
from ...training import Step, Terms
from ..across import AcrossDomains, critic_accuracy, critic_of, rising, sides_of, target_of


@final
@dataclass(frozen=True, kw_only=True)
class DANN(AcrossDomains):
    """min_{η,β} max_D  R_S(φ_η, β) − λ(p) · BCE(D(φ_η(x)), domain of x),  λ(p) = λ (2 / (1 + e^(−10 p)) − 1)

    D is a critic that learns to tell the source (1) from the target (0) by the features; the gradient that it
    sends back is reversed, so that features lose what it uses. p is the progress of training. It helps where
    the two look different and mean the same. Where classes have other proportions in the target it aligns the
    wrong ones, and where the target is the source turned or bent it hides the very columns that tell the
    classes apart. λ = 0 is SourceTuned.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> DANN().fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Ganin et al., JMLR 2016, arXiv:1505.07818, eq. 9 to 15"
    map: ClassVar[tuple[str, ...]] = ("M31",)
    weighted: ClassVar[str] = "adversary"

    adversary: float = param(1.0, "λ: how hard features hide the domain", search=(0.0, 0.1, 0.3, 1.0))
    critic_width: int = param(128, "hidden units of the critic", search=(64, 128, 1024))

    def network(self, backbone: Backbone, head: Linear, problem: Problem) -> Network:
        return Network(backbone, head, beside={"critic": critic_of(head.weight.shape[1], self.critic_width)})

    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        target = network.features(target_of(step))
        strength = rising(self.adversary, step.progress)
        guess = network.beside["critic"](reversed_gradient(torch.cat([source, target]), strength)).squeeze(1)
        sides = sides_of(source, target)
        step.note("critic accuracy", critic_accuracy(guess, sides))
        step.note("strength", strength)
        return {"domain": binary_cross_entropy_with_logits(guess, sides)}
