"""Subspace alignment: the source's principal axes are turned onto the target's."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from ...domain import Domain
from ...heads.affine import Affine
from ...method import param
from ...terms.discrepancy import covariance
from ...training import Training
from ..both_sides import Aligned, Maps


@final
@dataclass(frozen=True, kw_only=True)
class SubspaceAlignment(Aligned):
    """z_s ↦ (z_s − z̄_s) X_S M,  z_t ↦ (z_t − z̄_t) X_T,  M = X_Sᵀ X_T: the argmin over M of ‖X_S M − X_T‖_F

    X_S and X_T hold the first `dimension` principal axes of each side. It helps where the classes lie along
    the widest axes of both sides, and each side has noise along others, or is somewhere else. Axes are told
    by their variance alone: what tells classes apart along narrow ones is lost, and where two axes are about
    as wide, which of them is among the first is chance. Scales are left as they are.

    >>> from regraft import Problem
    >>> from regraft.backbones import vectors
    >>> lab = Domain([[0.0, 0.0], [0.0, 1.0], [4.0, 0.0], [4.0, 1.0]] * 3, ["low", "low", "high", "high"] * 3)
    >>> field = Domain(lab.x + torch.tensor([50.0, -9.0]))
    >>> SubspaceAlignment().fit(Problem(source=lab, target=field), vectors()).predict(field[:4])
    ['low', 'low', 'high', 'high']
    """

    reference: ClassVar[str] = "Fernando et al., ICCV 2013, eq. 3 and Algorithm 1"
    map: ClassVar[tuple[str, ...]] = ("M29",)

    dimension: int = param(32, "principal axes of each side that are kept", search=(2, 8, 32, 64))

    def maps(self, source: Domain, target: Float[Tensor, "m d"], training: Training) -> Maps:
        z = source.x
        assert isinstance(z, Tensor)
        of_source, of_target = (leading_axes(side, self.dimension) for side in (z, target))
        turned = of_target.T @ of_source @ of_source.T  # (X_S X_Sᵀ X_T)ᵀ
        return Maps(centred(turned, z), centred(of_target.T, target))


def leading_axes(z: Float[Tensor, "n d"], dimension: int) -> Float[Tensor, "d r"]:
    """The eigenvectors of the covariance with the largest eigenvalues."""
    axes: Tensor = torch.linalg.eigh(covariance(z)).eigenvectors.flip(1)[:, :dimension]
    return axes


def centred(weight: Float[Tensor, "r d"], z: Float[Tensor, "n d"]) -> Affine:
    """x ↦ A (x − z̄)."""
    return Affine(weight, -torch.mv(weight, z.mean(0)))
