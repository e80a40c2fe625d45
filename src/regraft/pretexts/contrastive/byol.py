"""What one view says is foretold from another, by a teacher that follows."""

import copy
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from ...backbone import Backbone
from ...method import param
from ...pretext import batch_of, width_of
from ...trained import Network
from ...training import Step, Terms
from ..views import OfViews
from .projector import projector


class Following(nn.Module):
    """ξ ← m ξ + (1 − m) θ: a network and projector that no gradient reaches. Its BatchNorm, as the paper has
    it, sees every batch by the batch's own statistics."""

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone = copy.deepcopy(backbone)
        self.head = copy.deepcopy(head)

    @torch.no_grad()
    def follow(self, network: Network, memory: float) -> None:
        own: list[Tensor] = [*self.backbone.parameters(), *self.head.parameters()]
        theirs: list[Tensor] = [*network.backbone.parameters(), *network.head.parameters()]
        torch._foreach_lerp_(own, theirs, 1 - memory)

    @torch.no_grad()
    def says(self, x: Tensor) -> Float[Tensor, "n d"]:
        self.train()
        told: Tensor = self.head(self.backbone(x).flatten(1))
        return told


@final
@dataclass(frozen=True, kw_only=True)
class BYOL(OfViews):
    """min_{η,β,γ} (1/n) Σ [2 − 2 cos(q_γ(h_β(φ_η(v))), h_β̄(φ_η̄(v′)))] + the same with v and v′ exchanged

    v and v′ are two views of a sample, q a predictor, and (η̄, β̄) follow (η, β) as a moving average, m its
    memory. Nothing repels, and what keeps all from becoming one is the predictor and the slow teacher: with a
    memory near 0, or a high rate, features collapse (the watch tells). It harms where what the changes do
    away with (place, size, colour) is what the labels are about.

    >>> from regraft.backbones import small_mlp
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randn(40, 5))
    >>> BYOL(epochs=1, least_steps=2).pretrain(pool, small_mlp(5)).backbone.features(pool.x[:1]).shape
    torch.Size([1, 64])
    """

    reference: ClassVar[str] = "Grill et al., NeurIPS 2020, arXiv:2006.07733, eq. 2"
    map: ClassVar[tuple[str, ...]] = ("M22",)
    usual: ClassVar[float] = 0.022

    memory: float = param(0.99, "m: share of itself that the teacher keeps in a step", (0.97, 0.99, 0.996))
    width: int = param(256, "of the hidden layers of projector and predictor", search=(128, 256, 512))
    out: int = param(64, "numbers that are foretold", search=(32, 64, 128))

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        head = projector(width_of(backbone, x), self.width, self.out)
        predictor = projector(self.out, self.width, self.out)
        return Network(
            backbone, head, beside={"predictor": predictor}, following={"teacher": Following(backbone, head)}
        )

    def objective(self, network: Network, step: Step) -> Terms:
        x, n = batch_of(step), len(batch_of(step))
        teacher = network.following["teacher"]
        assert isinstance(teacher, Following)
        views = torch.cat([self.view(x), self.view(x)])
        foretold = network.beside["predictor"](network(views))
        says = teacher.says(views)
        distance = 2 - 2 * cosine_similarity(foretold.float(), says.roll(n, 0).float())
        return {"foretell": 2 * distance.mean()}

    def after_step(self, network: Network, step: Step) -> None:
        teacher = network.following["teacher"]
        assert isinstance(teacher, Following)
        teacher.follow(network, self.memory)
