"""Linear transport: the shortest way from the source's Gaussian to the target's."""

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
class LinearTransport(Aligned):
    """z_s ↦ A (z_s − z̄_s) + z̄_t,  A = C_s^(−½) (C_s^½ C_t C_s^½)^½ C_s^(−½),  C = cov(z) + ε I

    Of all maps that give the source the target's mean and covariance, this one moves samples the least: A is
    symmetric and positive, so nothing is turned further than it has to be, where CORAL goes by way of white
    noise. It helps where the target is the source moved, stretched or bent along some axes. As CORAL it moves
    classes onto each other where their proportions differ, and with few samples covariances are chance.

    >>> from regraft import Problem
    >>> from regraft.backbones import vectors
    >>> lab = Domain([[0.0, 0.0], [0.0, 1.0], [4.0, 0.0], [4.0, 1.0]] * 3, ["low", "low", "high", "high"] * 3)
    >>> field = Domain(3 * lab.x + 9)
    >>> LinearTransport(ridge=0.01).fit(Problem(source=lab, target=field), vectors()).predict(field[:4])
    ['low', 'low', 'high', 'high']
    """

    reference: ClassVar[str] = (
        "Knott & Smith 1984; Flamary, Lounici & Ferrari 2019, arXiv:1905.10155, for learning it from samples"
    )
    map: ClassVar[tuple[str, ...]] = ("M29",)

    ridge: float = param(0.1, "ε: how much of the source's own shape is kept", search=(0.01, 0.1, 1.0, 10.0))

    def maps(self, source: Domain, target: Float[Tensor, "m d"], training: Training) -> Maps:
        z = source.x
        assert isinstance(z, Tensor)
        own = torch.eye(z.shape[1], dtype=z.dtype) * self.ridge
        of_source, of_target = covariance(z) + own, covariance(target) + own
        root, back = power(of_source, 0.5), power(of_source, -0.5)
        weight = back @ power(root @ of_target @ root, 0.5) @ back
        bias = target.mean(0) - torch.mv(weight, z.mean(0))
        return Maps(Affine(weight, bias), Affine.identity(z.shape[1]))
