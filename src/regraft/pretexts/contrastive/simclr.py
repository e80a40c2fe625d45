"""Two views of a sample attract, all others repel."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from ...backbone import Backbone
from ...method import param
from ...pretext import batch_of, width_of
from ...trained import Network
from ...training import Step, Terms
from ..views import OfViews
from .projector import projector


@final
@dataclass(frozen=True, kw_only=True)
class SimCLR(OfViews):
    """min_{η,β} −(1/2n) Σ_i log( exp(s_{i,j(i)}/τ) / Σ_{k≠i} exp(s_{i,k}/τ) ),  s = cosines of h_β(φ_η(·))

    Over the 2n views of n samples, j(i) the other view of the sample of i, h two layers that are left behind.
    φ learns what views of one sample share and others do not. It helps where the changes leave alone what the
    labels are about. It harms where they do not: cropped and recoloured views make φ blind to place, size and
    colour; and where a batch is full of alike samples, which then repel. Small batches give it few others to
    tell a sample from.

    >>> from regraft.backbones import small_mlp
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randn(40, 5))
    >>> SimCLR(epochs=1, least_steps=2).pretrain(pool, small_mlp(5)).backbone.features(pool.x[:1]).shape
    torch.Size([1, 64])
    """

    reference: ClassVar[str] = "Chen et al., ICML 2020, arXiv:2002.05709, eq. 1"
    map: ClassVar[tuple[str, ...]] = ("M22",)
    usual: ClassVar[float] = 0.075

    temperature: float = param(0.2, "τ", search=(0.1, 0.2, 0.5))
    width: int = param(256, "of the projector's hidden layer", search=(128, 256, 512))
    out: int = param(64, "numbers that views are compared by", search=(32, 64, 128))

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        return Network(backbone, projector(width_of(backbone, x), self.width, self.out))

    def objective(self, network: Network, step: Step) -> Terms:
        x = batch_of(step)
        z = network(torch.cat([self.view(x), self.view(x)]))
        return {"contrast": nt_xent(z[: len(x)], z[len(x) :], self.temperature)}


def nt_xent(one: Float[Tensor, "n d"], other: Float[Tensor, "n d"], temperature: float) -> Float[Tensor, ""]:
    """−(1/2n) Σ_i log( exp(s_{i,j(i)}/τ) / Σ_{k≠i} exp(s_{i,k}/τ) ),  s the cosines of the 2n rows

    Chen et al., ICML 2020, arXiv:2002.05709, eq. 1 and algorithm 1.

    >>> round(nt_xent(torch.eye(2), torch.eye(2), 1.0).item(), 4)
    0.5514
    """
    z = normalize(torch.cat([one, other]).float(), dim=1)
    rows = torch.arange(len(z), device=z.device)
    scores = (z @ z.T / temperature).masked_fill(rows == rows[:, None], -torch.inf)
    return cross_entropy(scores, rows.roll(len(one)))
