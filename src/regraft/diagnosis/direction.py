"""A direction along which two domains agree and the classes of the source do not."""

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..heads.affine import Affine
from ..seeds import seed_of
from ..terms.discrepancy import covariance
from ..terms.symmetric import power

MOST = 400  # samples of each domain that are looked at
FREQUENCIES = 16  # of each kernel
SPREADS = (0.35, 0.7, 1.4)  # of kernels along a direction on which variance is about 1
RESTARTS = 8
STEPS = 60
NOISE = 0.8  # about what a squared distance of means is by chance, in 1/n


def shared_direction(
    source: Float[Tensor, "n d"], y: Int[Tensor, " n"], target: Float[Tensor, "m d"], seed: int
) -> Affine:
    """z ↦ uᵀ W (z − z̄):  argmax_u  log Σ_c π_c MMD²(s_c, s) − log MMD²(s, t)  along u

    W whitens by the mean covariance within the domains, MMD is that of a mixture of three Gaussian kernels by
    Fourier features, s_c is class c of the source. Several starts, at random and along the
    differences of class means, are improved by gradient steps on the sphere.

    >>> luck = torch.Generator().manual_seed(0)
    >>> y = torch.arange(200) % 2
    >>> x = torch.randn(200, 2, generator=luck).double()
    >>> s = torch.stack([x[:, 0] + 4 * y, x[:, 1]], 1)
    >>> t = torch.stack([x[:, 0] + 4 * y, x[:, 1] + 5], 1)
    >>> along = shared_direction(s, y, t, seed=0).weight[0]
    >>> bool(along[0].abs() > 10 * along[1].abs())
    True
    """
    luck = torch.Generator().manual_seed(seed_of(seed, "direction"))
    rows, others = (torch.randperm(len(z), generator=luck)[:MOST] for z in (source, target))
    s, y, t = source[rows].double(), y[rows], target[others].double()
    within = (covariance(s) + covariance(t)) / 2
    within = within + 1e-3 * within.diagonal().mean() * torch.eye(s.shape[1], dtype=torch.float64)
    whiten, centre = power(within, -0.5), torch.cat([s, t]).mean(0)
    u = _Contrast((s - centre) @ whiten, (t - centre) @ whiten, y, luck).best()
    weight = (whiten @ u)[None]
    return Affine(weight, -weight @ centre)


@final
class _Contrast:
    """The objective on whitened samples."""

    def __init__(
        self, s: Float[Tensor, "n d"], t: Float[Tensor, "m d"], y: Int[Tensor, " n"], luck: torch.Generator
    ) -> None:
        n, m = len(s), len(t)
        self.z = torch.cat([s, t])
        sides = torch.cat([torch.full((n,), 1 / n), torch.full((m,), -1 / m)]).double()
        classes = y.unique()
        member = (y[:, None] == classes).double()
        share = member.mean(0)
        of_class = share.sqrt() * (member / member.sum(0) - 1 / n)
        self.contrasts = torch.cat([sides[:, None], torch.cat([of_class, torch.zeros(m, len(classes))])], 1)
        # at even steps of their law, which leaves no gap where random ones now and then do
        steps = (torch.arange(FREQUENCIES).double() + 0.5) / FREQUENCIES
        half_normal = 2**0.5 * torch.erfinv(steps)
        self.frequencies = torch.cat([half_normal / spread for spread in SPREADS])
        self.by_chance = NOISE * (1 / n + 1 / m), NOISE * len(classes) / n
        means = (member / member.sum(0)).T @ s - s.mean(0)
        starts = torch.cat([torch.randn(RESTARTS, s.shape[1], generator=luck).double(), means])
        self.starts = starts / starts.norm(dim=1, keepdim=True).clamp_min(1e-12)

    def best(self) -> Float[Tensor, " d"]:
        """The best direction that any start leads to."""
        u = self.starts.clone().requires_grad_(True)
        step = torch.optim.Adam([u], lr=0.1)
        found, direction = float("-inf"), self.starts[0].clone()
        for _ in range(STEPS):
            along = u / u.norm(dim=1, keepdim=True).clamp_min(1e-12)
            value = self.value(along)
            if value.detach().max() > found:
                direction.copy_(along.detach()[value.argmax()])
                found = float(value.detach().max())
            step.zero_grad()
            (-value.sum()).backward()
            step.step()
        best: Tensor = direction
        return best

    def value(self, u: Float[Tensor, "r d"]) -> Float[Tensor, " r"]:
        """The objective along each of r directions."""
        angle = (self.z @ u.T)[..., None] * self.frequencies  # n r f
        waves = torch.stack([angle.cos(), angle.sin()])
        of_each = torch.einsum("wnrf,nk->wkrf", waves, self.contrasts).square().sum(0).mean(2)
        chance, chance_of_classes = self.by_chance
        classes, domains = of_each[1:].sum(0) + chance_of_classes, of_each[0] + chance
        found: Tensor = classes.log() - domains.log()
        return found
