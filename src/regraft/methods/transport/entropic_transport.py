"""Optimal transport: every sample of the source moves to where the plan sends it in the target."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...domain import Domain
from ...heads.affine import Affine
from ...heads.kernel import squared_distances
from ...heads.principal import principal
from ...method import param
from ...output import Classes
from ...seeds import seed_of
from ...terms.transport import import_ot
from ...training import Training
from ..both_sides import OnBothSides, Seen, Sides

ROUNDS = 10  # of majorisation for the term of classes, as its authors have
SMALLEST = 1e-3  # mass of a class at which the growth of its root is cut off, theirs too
AT_ONCE = 1 << 23  # distances that are held together


@final
@dataclass(frozen=True, kw_only=True)
class EntropicTransport(OnBothSides):
    """min_γ Σ γ_ij M_ij + λ Σ γ_ij log γ_ij + η Σ_jc (Σ_{i in c} γ_ij)^½,  z_i ↦ n Σ_j γ_ij z_j

    over plans γ with Σ_j γ_ij = 1/n for every sample i of the source and Σ_i γ_ij = 1/m for every j of the
    target; M_ij = ‖zᵢ − z_j‖² in units of its mean. The last term makes every sample of the target get its
    mass from few classes. The head learns from the source where it arrives. It helps where the target is the
    source bent in a way that no linear map is, with the same classes in the same proportions. The mass of
    every class has to arrive somewhere: where proportions differ, samples arrive in other classes. `points`
    samples of each side are transported; all others move as the nearest of these does, and so do new samples
    of the source.

    >>> import pytest
    >>> _ = pytest.importorskip("ot")
    >>> from regraft import Problem
    >>> from regraft.backbones import vectors
    >>> lab = Domain([[0.0, 0.0], [0.0, 1.0], [4.0, 0.0], [4.0, 1.0]] * 3, ["low", "low", "high", "high"] * 3)
    >>> field = Domain(lab.x + 9)
    >>> EntropicTransport().fit(Problem(source=lab, target=field), vectors()).predict(field[:4])
    ['low', 'low', 'high', 'high']
    """

    reference: ClassVar[str] = (
        "Courty et al., TPAMI 2017, arXiv:1507.00504, eq. 14 and 17; Ferradans et al. 2014 for new samples"
    )
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    map: ClassVar[tuple[str, ...]] = ("M29",)

    components: int = param(64, "principal components of all features; 0 keeps them all", search=(0, 16, 64))
    entropy: float = param(0.05, "λ: how much the plan is blurred", search=(0.02, 0.05, 0.2))
    class_weight: float = param(
        0.1, "η: how few classes send mass to a sample of the target; of classes only", search=(0.0, 0.1, 1.0)
    )
    points: int = param(
        1000, "samples of each side that are transported, at the most", search=(300, 1000, 3000)
    )

    def sides(self, seen: Seen, training: Training) -> Sides:
        space = principal([seen.source.x, seen.target], self.components)
        source, target = seen.source.with_(x=space(seen.source.x)), space(seen.target)
        some = drawn(len(source), self.points, seed_of(training.seed, "source"))
        there = drawn(len(target), self.points, seed_of(training.seed, "target"))
        known = source[some]
        gamma = self.plan(known, target[there])
        arrived = gamma @ target[there] / gamma.sum(1, keepdim=True)
        moved = Moved(known.x, arrived - known.x)
        head = self.taught_by(source.with_(x=moved(source.x)), training)
        return Sides(space.then(head), nn.Sequential(Through(space), moved, head))

    def plan(self, source: Domain, target: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
        """γ, by majorisation: the root of a class's mass is replaced by its tangent, and so on."""
        ot = import_ot()
        cost = squared_distances(source.x, target)
        unit = cost.mean().clamp_min(1e-300)
        mass = [torch.full((size,), 1 / size).double().numpy() for size in cost.shape]
        tangent = torch.zeros_like(cost)
        of_classes = self.class_weight > 0 and isinstance(source.output, Classes)
        for _ in range(ROUNDS if of_classes else 1):
            asked = cost / unit + self.class_weight * tangent
            # what a row or a column has in common changes no plan, and without it no exponential vanishes
            asked = asked - asked.amin(1, keepdim=True)
            asked = asked - asked.amin(0)
            found = ot.sinkhorn(*mass, asked.numpy(), self.entropy, numItermax=500, stopThr=1e-7, warn=False)
            gamma = torch.from_numpy(found)
            if of_classes:
                together = source.labels[:, None] == source.labels
                tangent = 0.5 * (together.double() @ gamma + SMALLEST) ** -0.5
        return gamma


@final
class Through(nn.Module):
    """A map as a module."""

    def __init__(self, affine: Affine) -> None:
        super().__init__()
        self.affine = affine

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n r"]:
        return self.affine(z)


@final
class Moved(nn.Module):
    """z ↦ z + the shift of the nearest point.

    >>> moved = Moved(torch.tensor([[0.0], [9.0]]), torch.tensor([[1.0], [-1.0]]))
    >>> moved(torch.tensor([[0.0], [8.0]])).tolist()
    [[1.0], [7.0]]
    """

    points: Tensor
    shifts: Tensor

    def __init__(self, points: Float[Tensor, "p d"], shifts: Float[Tensor, "p d"]) -> None:
        super().__init__()
        self.register_buffer("points", points)
        self.register_buffer("shifts", shifts)

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        parts = z.split(max(1, AT_ONCE // len(self.points)))
        nearest = torch.cat([squared_distances(part, self.points).argmin(1) for part in parts])
        return z + self.shifts[nearest]


def drawn(n: int, most: int, seed: int) -> Int[Tensor, " m"]:
    """`most` of n rows at random, or all."""
    luck = torch.Generator().manual_seed(seed)
    return torch.randperm(n, generator=luck)[:most].sort().values
