"""Views agree, every number varies, and no two numbers say the same."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from ...backbone import Backbone
from ...method import param
from ...pretext import batch_of, width_of
from ...terms.spread import entangled, too_steady
from ...trained import Network
from ...training import Step, Terms
from ..views import OfViews
from .projector import projector


@final
@dataclass(frozen=True, kw_only=True)
class VICReg(OfViews):
    """min_{η,β}  λ s(Z, Z′) + μ [v(Z) + v(Z′)] + ν [c(Z) + c(Z′)],  Z = h_β(φ_η(views)), Z′ of other views

    s is the mean squared distance of the two views of a sample, v = (1/d) Σ_j max(0, 1 − √(Var z_j + ε))
    holds every number's spread up, c = (1/d) Σ_{j≠k} Cov(Z)²_jk keeps numbers from saying the same. No sample
    is pushed from another, so that batches may be small. It harms, as all tasks of views do, where what the
    changes do away with (place, size, colour) is what the labels are about; and with λ far above μ all
    features become one.

    >>> from regraft.backbones import small_mlp
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randn(40, 5))
    >>> VICReg(epochs=1, least_steps=2).pretrain(pool, small_mlp(5)).backbone.features(pool.x[:1]).shape
    torch.Size([1, 64])
    """

    reference: ClassVar[str] = "Bardes, Ponce & LeCun, ICLR 2022, arXiv:2105.04906, eq. 1-6"
    map: ClassVar[tuple[str, ...]] = ("M22",)
    usual: ClassVar[float] = 0.055

    agree: float = param(25.0, "λ: that the views of a sample are near", search=(10.0, 25.0, 50.0))
    vary: float = param(25.0, "μ: that every number varies", search=(10.0, 25.0, 50.0))
    differ: float = param(1.0, "ν: that numbers say different things", search=(0.5, 1.0, 5.0))
    width: int = param(256, "of the projector's hidden layer", search=(128, 256, 512))
    out: int = param(256, "numbers that views are compared by", search=(128, 256, 512))

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        return Network(backbone, projector(width_of(backbone, x), self.width, self.out))

    def objective(self, network: Network, step: Step) -> Terms:
        x = batch_of(step)
        one, other = network(torch.cat([self.view(x), self.view(x)])).float().split(len(x))
        return {
            "agree": self.agree * mse_loss(one, other),
            "vary": self.vary * (too_steady(one) + too_steady(other)),
            "differ": self.differ * (entangled(one) + entangled(other)),
        }
