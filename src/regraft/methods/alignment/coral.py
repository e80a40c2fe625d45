"""CORAL: the source takes on the target's mean and covariance."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from ...domain import Domain
from ...heads.affine import Affine
from ...method import param
from ...terms.discrepancy import covariance
from ...terms.symmetric import power
from ...training import Training
from ..both_sides import Aligned, Maps


@final
@dataclass(frozen=True, kw_only=True)
class CORAL(Aligned):
    """z_s ↦ C_t^½ C_s^(−½) (z_s − z̄_s) + z̄_t,  C = cov(z) + ε I: the argmin over A of ‖A C_s Aᵀ − C_t‖

    z are principal components of all features in one scale, so that ε means the same for every network. The
    head learns from the mapped source. It helps where the target is the source seen through other
    brightness, scales or correlations, with the same classes in the same proportions. Where the proportions
    differ it moves classes onto each other, and with fewer samples than `components` covariances are chance:
    a larger ε leaves more of the source as it was. `means=False` is as published: covariances alone.

    >>> from regraft import Problem
    >>> from regraft.backbones import vectors
    >>> lab = Domain([[0.0, 0.0], [0.0, 1.0], [4.0, 0.0], [4.0, 1.0]] * 3, ["low", "low", "high", "high"] * 3)
    >>> field = Domain(3 * lab.x + 9)
    >>> CORAL(ridge=0.01).fit(Problem(source=lab, target=field), vectors()).predict(field[:4])
    ['low', 'low', 'high', 'high']
    """

    reference: ClassVar[str] = "Sun, Feng & Saenko, AAAI 2016, arXiv:1511.05547, Algorithm 1"
    map: ClassVar[tuple[str, ...]] = ("M29",)

    ridge: float = param(1.0, "ε: how much of the source's own shape is kept", search=(0.1, 1.0, 10.0))
    means: bool = param(True, "whether means are matched as well", search=(True, False))

    def maps(self, source: Domain, target: Float[Tensor, "m d"], training: Training) -> Maps:
        z = source.x
        assert isinstance(z, Tensor)
        own = torch.eye(z.shape[1], dtype=z.dtype) * self.ridge
        weight = power(covariance(target) + own, 0.5) @ power(covariance(z) + own, -0.5)
        centre = z.mean(0)
        goal = target.mean(0) if self.means else centre
        return Maps(Affine(weight, goal - torch.mv(weight, centre)), Affine.identity(z.shape[1]))
