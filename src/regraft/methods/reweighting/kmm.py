"""Kernel mean matching: weights under which the source's mean in a kernel's space is the target's."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from ...heads.kernel import similarity, usual_gamma
from ...method import param
from ...seeds import seed_of
from ...terms.projection import onto_box_and_slab
from ...training import Training
from ..both_sides import Reweighted

AT_ONCE = 1 << 23  # similarities that are held beside those of a block


@final
@dataclass(frozen=True, kw_only=True)
class KMM(Reweighted):
    """min_w ½ wᵀ K w − κᵀ w  with 0 ≤ wᵢ ≤ B and |mean w − 1| ≤ ε

    K_ij = k(xᵢ, x_j) over the source and κᵢ = (n / m) Σ_t k(xᵢ, x_t) over the target. Up to a constant it is
    n²/2 times the squared distance between the weighted mean of the source and the mean of the target in the
    space of k(a, b) = exp(−γ ‖a − b‖²). B is `largest`. It helps where the target is a part of the source,
    unevenly drawn, and needs no model of either. It harms where few samples of the source lie near the target
    and get all of the weight, and in many dimensions, where no two samples are near. More than `block`
    samples are divided at random into blocks that are matched one by one (Miao, Farahat & Kamel 2015), so
    memory grows with block².

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> x = torch.linspace(-2, 2, 81)[:, None]
    >>> lab, field = Domain(x, ["out" if v.abs() > 1 else "in" for v in x]), Domain(x[50:])
    >>> model = KMM().fit(Problem(source=lab, target=field), vectors())
    >>> model.predict([[0.7], [1.5]]), model.provenance["effective_samples"] < 60
    (['in', 'out'], True)
    """

    reference: ClassVar[str] = "Huang et al., NIPS 2006, eq. 12; Gretton et al. 2009"
    map: ClassVar[tuple[str, ...]] = ("M29",)

    components: int = param(
        128, "principal components by which densities are compared; 0 takes all", search=(0, 32, 128)
    )
    width: float = param(1.0, "factor on the usual γ, 1 / (d · variance)", search=(0.25, 1.0, 4.0))
    slack: float = param(0.1, "ε: how far the mean weight may be from 1", search=(0.01, 0.1, 0.5))
    block: int = param(2000, "samples of the source that are matched together", search=(500, 2000, 4000))

    def weights(
        self, source: Float[Tensor, "n d"], target: Float[Tensor, "m d"], training: Training
    ) -> Float[Tensor, " n"]:
        gamma = self.width * usual_gamma(torch.cat([source, target]))
        luck = torch.Generator().manual_seed(seed_of(training.seed, "blocks"))
        weight = torch.ones(len(source)).double()
        blocks = -(-len(source) // self.block)
        for rows in torch.randperm(len(source), generator=luck).tensor_split(blocks):
            x = source[rows]
            parts = target.split(max(1, AT_ONCE // len(x)))
            near = torch.stack([similarity(x, part, gamma).sum(1) for part in parts]).sum(0)
            kappa = near * len(x) / len(target)
            weight[rows] = matching(similarity(x, x, gamma), kappa, self.largest, self.slack)
        return weight


def matching(
    kernel: Float[Tensor, "n n"],
    kappa: Float[Tensor, " n"],
    largest: float,
    slack: float,
    *,
    tolerance: float = 1e-5,
    steps: int = 5000,
) -> Float[Tensor, " n"]:
    """argmin_w ½ wᵀ K w − κᵀ w with 0 ≤ w ≤ largest, |mean w − 1| ≤ slack, by accelerated projected gradient.

    The momentum starts anew where it leads uphill (O'Donoghue & Candès 2015). It ends when a step changes the
    weights by less than `tolerance` of their norm.

    >>> [round(w, 6) for w in matching(torch.eye(2), torch.tensor([1.5, 0.2]), 10.0, 0.5).tolist()]
    [1.5, 0.2]
    """
    least, greatest = max(0.0, 1 - slack), 1 + slack
    weight = ahead = onto_box_and_slab(torch.ones_like(kappa), largest, least, greatest)
    steepest = float(torch.linalg.matrix_norm(kernel, 1))  # at least the largest eigenvalue
    momentum = 1.0
    for _ in range(steps):
        slope = torch.mv(kernel, ahead) - kappa
        found = onto_box_and_slab(ahead - slope / steepest, largest, least, greatest)
        if (found - ahead).norm() <= tolerance * found.norm().clamp_min(1e-300):
            return found
        uphill = torch.dot(ahead - found, found - weight) > 0
        later = 1.0 if uphill else (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ahead = found if uphill else found + (momentum - 1) / later * (found - weight)
        weight, momentum = found, later
    return weight
