"""Features in which two distributions are equal only if their means are."""

from dataclasses import dataclass
from typing import Self, final

import torch
from jaxtyping import Float
from torch import Tensor

from ..heads.kernel import similarity, squared_distances
from ..seeds import seed_of
from ..terms.symmetric import power

WIDTHS = (0.25, 1.0)  # γ, over the median squared distance within a domain
LANDMARKS, OF_SAMPLES = 100, 4  # and one of so many samples at the most: the law of T² needs more of these
ROUNDING = 1e-4  # of the largest eigenvalue


@final
@dataclass(frozen=True, eq=False)
class Bumps:
    """x ↦ (K_PP^(−½) k_P(u))_γ for two widths γ, u the columns of x, each in the spread it has in a domain.

    Landmarks P are drawn from both domains alike.
    """

    centre: Float[Tensor, " d"]
    scale: Float[Tensor, " d"]
    points: Float[Tensor, "p d"]
    roots: tuple[tuple[float, Float[Tensor, "p p"]], ...]

    @classmethod
    def of(cls, source: Float[Tensor, "n d"], target: Float[Tensor, "m d"], seed: int) -> Self:
        centre = (source.mean(0) + target.mean(0)) / 2
        scale = ((source.var(0, correction=0) + target.var(0, correction=0)) / 2).sqrt()
        scale = torch.where(scale > 0, scale, 1.0)
        s, t = (source - centre) / scale, (target - centre) / scale
        luck = torch.Generator().manual_seed(seed_of(seed, "landmarks"))
        of_each = max(5, min(LANDMARKS, min(len(s), len(t)) // OF_SAMPLES) // 2)
        points = torch.cat([z[torch.randperm(len(z), generator=luck)[:of_each]] for z in (s, t)])
        usual = (median_distance(s, luck) + median_distance(t, luck)) / 2
        gammas = [width / usual for width in WIDTHS]
        roots = tuple((g, power(similarity(points, points, torch.tensor(g)), -0.5, ROUNDING)) for g in gammas)
        return cls(centre, scale, points, roots)

    def __call__(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n r"]:
        z = (x - self.centre) / self.scale
        return torch.cat([similarity(z, self.points, torch.tensor(g)) @ root for g, root in self.roots], 1)


def median_distance(z: Float[Tensor, "n d"], luck: torch.Generator, most: int = 500) -> float:
    """The median squared distance between two samples."""
    some = z[torch.randperm(len(z), generator=luck)[:most]]
    apart = squared_distances(some, some)[*torch.triu_indices(len(some), len(some), 1)]
    return float(apart.median()) if len(apart) and float(apart.median()) > 0 else 1.0
