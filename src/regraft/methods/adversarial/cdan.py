"""CDAN: features by which no critic can tell the domains apart, whatever the class."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ...backbone import Backbone
from ...heads import Linear
from ...method import param
from ...problem import Problem
from ...terms.gradient import reversed_gradient
from ...trained import Network
from ...training import Step, Terms
from ..across import AcrossDomains, critic_accuracy, critic_of, rising, sides_of, target_of

LARGEST = 4096  # products that the critic sees one by one, as its authors have it
DRAWN = 1024  # and otherwise random sums of them


@final
@dataclass(frozen=True, kw_only=True)
class CDAN(AcrossDomains):
    """min_{η,β} max_D  R_S(φ_η, β) − λ(p) · Σ w BCE(D(p ⊗ φ_η(x)), domain of x) / Σ w

    p are the probabilities that the head gives x, and p ⊗ φ all products of one of them and one feature, or
    (A p) ⊙ (B φ) / √m with fixed normal A and B of m rows where there are too many products. So the critic
    compares features class by class. w = 1, or with `entropy` 1 + e^(−H(p)), each domain's weights scaled to
    the same sum: certain samples count more. p and w are constants to the network, as in the authors' code.
    It is meant for where DANN would align one class with another, and needs probabilities of the target that
    are mostly right: where they are not, it aligns what it takes for a class. λ = 0 is SourceTuned.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> CDAN().fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Long et al., NeurIPS 2018, arXiv:1705.10667, eq. 5 to 8"
    map: ClassVar[tuple[str, ...]] = ("M31",)
    weighted: ClassVar[str] = "adversary"

    adversary: float = param(1.0, "λ: how hard features hide the domain", search=(0.0, 0.1, 0.3, 1.0))
    critic_width: int = param(128, "hidden units of the critic", search=(64, 128, 1024))
    entropy: bool = param(True, "whether certain samples count more (CDAN+E)", search=(True, False))

    def network(self, backbone: Backbone, head: Linear, problem: Problem) -> Network:
        classes, features = head.weight.shape
        return Network(
            backbone, head, beside={"critic": ConditionedCritic(features, classes, self.critic_width)}
        )

    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        z = torch.cat([source, network.features(target_of(step))])
        sides = sides_of(source, z[len(source) :])
        p = network.head(z).detach().softmax(1)
        strength = rising(self.adversary, step.progress)
        guess = network.beside["critic"](reversed_gradient(z, strength), p.to(z))
        step.note("critic accuracy", critic_accuracy(guess, sides))
        step.note("strength", strength)
        w = certainty_weights(p, sides).to(guess) if self.entropy else balanced(torch.ones_like(sides), sides)
        return {"domain": (w * binary_cross_entropy_with_logits(guess, sides, reduction="none")).sum()}


@final
class ConditionedCritic(nn.Module):
    """D(p ⊗ z), or of random sums of these products where there are more than LARGEST.

    >>> ConditionedCritic(features=3, classes=2, width=4)(torch.ones(5, 3), torch.ones(5, 2)).shape
    torch.Size([5])
    """

    of_z: Tensor
    of_p: Tensor

    def __init__(self, features: int, classes: int, width: int) -> None:
        super().__init__()
        self.drawn = features * classes > LARGEST
        self.critic = critic_of(DRAWN if self.drawn else features * classes, width)
        if self.drawn:
            self.register_buffer("of_z", torch.randn(DRAWN, features))
            self.register_buffer("of_p", torch.randn(DRAWN, classes))

    def forward(self, z: Float[Tensor, "k d"], p: Float[Tensor, "k c"]) -> Float[Tensor, " k"]:
        scores: Tensor = self.critic(self.conditioned(z, p)).squeeze(1)
        return scores

    def conditioned(self, z: Float[Tensor, "k d"], p: Float[Tensor, "k c"]) -> Float[Tensor, "k m"]:
        if self.drawn:
            return (z @ self.of_z.T) * (p @ self.of_p.T) / math.sqrt(DRAWN)
        return (p[:, :, None] * z[:, None, :]).flatten(1)


def certainty_weights(p: Float[Tensor, "k c"], sides: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    """1 + e^(−H(p)), balanced.

    >>> certainty_weights(torch.tensor([[1.0, 0.0], [0.5, 0.5], [1.0, 0.0]]), torch.tensor([1.0, 1.0, 0.0]))
    tensor([0.2857, 0.2143, 0.5000])
    """
    return balanced(1 + (-torch.special.entr(p).sum(1)).exp(), sides)


def balanced(w: Float[Tensor, " k"], sides: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    """Weights of which each domain has half of the sum, which is 1."""
    return 0.5 * (w * sides / (w * sides).sum() + w * (1 - sides) / (w * (1 - sides)).sum())
