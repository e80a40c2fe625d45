"""Density ratios from a classifier that tells the two domains apart."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from ...heads.logistic import fit_logistic
from ...method import param
from ...training import Training
from ..both_sides import Reweighted


@final
@dataclass(frozen=True, kw_only=True)
class Discriminative(Reweighted):
    """w(x) = (n_s / n_t) · P(target | x) / P(source | x), by logistic regression on q(x)

    q(x) are principal components, and with `squares` their squares as well, which makes the ratio that of
    two Gaussians with axes along them. C is chosen by cross-validation, so a classifier that finds nothing
    gives equal weights. It helps where the target is a part of the source, unevenly drawn. Where the target
    lies outside the source, few samples get all of the weight: the model's provenance tells the effective
    number.

    >>> import torch
    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> x = torch.linspace(-2, 2, 81)[:, None]
    >>> lab, field = Domain(x, ["out" if v.abs() > 1 else "in" for v in x]), Domain(x[50:])
    >>> model = Discriminative().fit(Problem(source=lab, target=field), vectors())
    >>> model.predict([[0.7], [1.5]]), model.provenance["effective_samples"] < 60
    (['in', 'out'], True)
    """

    reference: ClassVar[str] = "Shimodaira, JSPI 2000; Bickel, Brückner & Scheffer, JMLR 2009"
    map: ClassVar[tuple[str, ...]] = ("M29",)

    squares: bool = param(True, "whether squares of the components count as well", search=(True, False))

    def weights(
        self, source: Float[Tensor, "n d"], target: Float[Tensor, "m d"], training: Training
    ) -> Float[Tensor, " n"]:
        return ratio(source, target, squares=self.squares, seed=training.seed)


def ratio(
    source: Float[Tensor, "n d"], target: Float[Tensor, "m d"], *, squares: bool, seed: int
) -> Float[Tensor, " n"]:
    """p_target / p_source at the samples of the source, by logistic regression."""
    z = torch.cat([source, target]).double()
    if squares:
        z = torch.cat([z, z.square()], 1)
    side = torch.cat([torch.zeros(len(source)), torch.ones(len(target))]).long()
    fit = fit_logistic(z, side, 2, seed=seed)
    scores = z[: len(source)] @ fit.weight.T + fit.bias
    return (scores[:, 1] - scores[:, 0]).exp() * len(source) / len(target)
