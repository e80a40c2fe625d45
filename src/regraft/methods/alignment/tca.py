"""TCA: kernel components along which the two domains have the same mean."""

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import scipy.linalg
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...errors import InputError
from ...heads import Kernel, Linear
from ...heads.affine import Affine
from ...heads.kernel import similarity, usual_gamma
from ...heads.principal import principal
from ...method import param
from ...seeds import seed_of
from ...training import Training
from ..both_sides import OnBothSides, Seen, Sides


@final
@dataclass(frozen=True, kw_only=True)
class TCA(OnBothSides):
    """max_W tr(Wᵀ K H K W)  with  Wᵀ (K L K + μ I) W = I;  z(x) = k(x, X) W,  X samples of both sides

    L = e eᵀ with e = 1/n for the n samples of the source and −1/m for the m of the target, so that
    tr Wᵀ K L K W is the squared distance of the sides' means in the new space, and H takes away the mean of
    both: components that vary and along which the domains have one mean. W holds the first `dimension`
    eigenvectors of K H K w = λ (K L K + μ I) w. k is exp(−γ ‖a − b‖²), or aᵀb. It helps where some directions
    tell the domains apart and others tell the classes apart. Where the same ones do both, as where classes
    have other shares, it takes away what the head needs. X holds `points` samples at the most.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> lab = Domain([[0.0, 0.0], [0.0, 1.0], [4.0, 0.0], [4.0, 1.0]] * 3, ["low", "low", "high", "high"] * 3)
    >>> field = Domain(lab.x + torch.tensor([0.0, 9.0]))
    >>> TCA(kernel="linear").fit(Problem(source=lab, target=field), vectors()).predict(field[:4])
    ['low', 'low', 'high', 'high']
    """

    reference: ClassVar[str] = "Pan et al., IEEE TNN 2011, eq. 13"
    map: ClassVar[tuple[str, ...]] = ("M29",)

    components: int = param(
        128, "principal components of all features; 0 keeps them all", search=(0, 32, 128)
    )
    dimension: int = param(64, "columns of W", search=(2, 16, 64))
    ridge: float = param(1.0, "μ: cost of large W", search=(0.01, 0.1, 1.0, 10.0))
    kernel: Literal["rbf", "linear"] = param("rbf", "the kernel k", search=("rbf", "linear"))
    width: float = param(1.0, "factor on the usual γ, 1 / (d · variance)", search=(0.25, 1.0, 4.0))
    points: int = param(1000, "samples of both sides in X, at the most", search=(300, 1000, 2000))

    def sides(self, seen: Seen, training: Training) -> Sides:
        if self.kernel == "rbf" and self.learner == "kernel":
            raise InputError("TCA learns a linear head behind its kernel: take the learner probe or ridge")
        space = principal([seen.source.x, seen.target], self.components)
        source, target = space(seen.source.x), space(seen.target)
        x, e = self.chosen(source, target, training.seed)
        gamma = self.width * usual_gamma(torch.cat([source, target]))
        w = transfer_components(self.similarities(x, x, gamma), e, self.dimension, self.ridge)
        head = self.taught_by(seen.source.with_(x=self.similarities(source, x, gamma) @ w), training)
        both = space.then(self.folded(head, x, gamma, w))
        return Sides(both, both)

    def chosen(
        self, source: Float[Tensor, "n d"], target: Float[Tensor, "m d"], seed: int
    ) -> tuple[Float[Tensor, "p d"], Float[Tensor, " p"]]:
        """X and e: of each side as large a share, drawn at random."""
        share = min(1.0, self.points / (len(source) + len(target)))
        luck = torch.Generator().manual_seed(seed_of(seed, "points"))
        rows = [
            torch.randperm(len(side), generator=luck)[: max(1, int(share * len(side)))].sort().values
            for side in (source, target)
        ]
        n, m = map(len, rows)
        e = torch.cat([torch.full((n,), 1 / n), torch.full((m,), -1 / m)]).double()
        return torch.cat([source[rows[0]], target[rows[1]]]), e

    def similarities(
        self, a: Float[Tensor, "n d"], b: Float[Tensor, "p d"], gamma: Float[Tensor, ""]
    ) -> Float[Tensor, "n p"]:
        """k(a, b)."""
        return a @ b.T if self.kernel == "linear" else similarity(a, b, gamma)

    def folded(
        self, head: nn.Module, x: Float[Tensor, "p d"], gamma: Float[Tensor, ""], w: Float[Tensor, "p r"]
    ) -> nn.Module:
        """z ↦ head(k(z, X) W)."""
        if self.kernel == "linear":
            return Affine(w.T @ x, torch.zeros(w.shape[1]).double()).then(head)
        assert isinstance(head, Linear)
        return Kernel.of(x, gamma, head.weight.detach() @ w.T, head.bias.detach())


def transfer_components(
    kernel: Float[Tensor, "p p"], e: Float[Tensor, " p"], dimension: int, ridge: float
) -> Float[Tensor, "p r"]:
    """W: the leading eigenvectors of K H K w = λ (K L K + μ I) w, both sides symmetric.

    >>> w = transfer_components(torch.eye(3).double(), torch.tensor([0.5, 0.5, -1.0]).double(), 1, 1.0)
    >>> (w / w.abs().max()).abs().round(decimals=6).T.tolist()
    [[1.0, 1.0, 0.0]]
    """
    centred = kernel - kernel.mean(0)  # H K
    apart = torch.mv(kernel, e)
    within = torch.outer(apart, apart) + ridge * torch.eye(len(e), dtype=kernel.dtype)
    last = len(e) - 1
    first = max(0, len(e) - dimension)
    _, vectors = scipy.linalg.eigh(
        (centred.T @ centred).numpy(), within.numpy(), subset_by_index=(first, last)
    )
    return torch.from_numpy(vectors[:, ::-1].copy())
