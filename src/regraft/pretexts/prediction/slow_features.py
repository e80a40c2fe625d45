"""What changes slowly from one frame to the next."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Int
from torch import Tensor, nn

from ...backbone import Backbone
from ...domain import Domain
from ...errors import InputError
from ...method import param
from ...pretext import PIXELS, VECTORS, Pretext, batch_of, tensor_of, width_of
from ...terms.spread import entangled, too_steady
from ...trained import Network
from ...training import Step, Terms, Training


@final
@dataclass(frozen=True, kw_only=True)
class SlowFeatures(Pretext):
    """min_{η,β}  λ (1/d) ⟨‖z(t+1) − z(t)‖²⟩ + μ v(Z) + ν c(Z),  z(t) = h_β(φ_η(x(t))), h linear

    The samples have to be in the order of time: frames of a film, rows of a recording. Where they have
    groups (one film each), neighbours are those of a group. Slow is what is the same thing still;
    v = mean_j max(0, 1 − √Var z_j) and c = (1/d) Σ_{j≠k} Cov(Z)²_jk take the place of the paper's constraints
    that every number has variance 1 and no two correlate, without which nothing at all would be slowest.
    h is left behind, and with it which number is which. It helps where the labels outlast what moves. It
    harms where they are about what changes from frame to frame (where it is, how near), which φ learns to
    overlook; and where the order is none (shuffled samples), for it then keeps only what is alike in all.

    >>> from regraft.backbones import small_mlp
    >>> from regraft.domain import Domain
    >>> film = Domain(torch.randn(40, 5).cumsum(0))
    >>> SlowFeatures(epochs=1, least_steps=2).pretrain(film, small_mlp(5)).backbone.features(film.x[:1]).shape
    torch.Size([1, 64])
    """

    takes = frozenset({PIXELS, VECTORS})
    blind_to: ClassVar[tuple[str, ...]] = ("position", "size")
    in_order: ClassVar[bool] = True
    reference: ClassVar[str] = (
        "Wiskott & Sejnowski, Neural Computation 2002, doi:10.1162/089976602317318938, eq. 1-4"
    )
    map: ClassVar[tuple[str, ...]] = ("M23",)

    slow: float = param(25.0, "λ: that neighbours in time are near", search=(10.0, 25.0, 50.0))
    vary: float = param(25.0, "μ: that every number varies", search=(10.0, 25.0, 50.0))
    differ: float = param(1.0, "ν: that numbers say different things", search=(0.5, 1.0, 5.0))
    out: int = param(32, "d: numbers that are to be slow", search=(8, 32, 128))

    def drawn_from(self, pool: Domain, training: Training) -> Domain:
        before, after = neighbours_in_time(len(pool), pool.group)
        x = tensor_of(pool)
        return Domain(torch.stack([x[before], x[after]], 1))

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        return Network(backbone, nn.Linear(width_of(backbone, x), self.out))

    def objective(self, network: Network, step: Step) -> Terms:
        pairs = batch_of(step)
        z = network(pairs.transpose(0, 1).flatten(0, 1)).float()
        return {
            "slow": self.slow * (z[: len(pairs)] - z[len(pairs) :]).square().mean(),
            "vary": self.vary * too_steady(z),
            "differ": self.differ * entangled(z),
        }


def neighbours_in_time(
    n: int, group: Int[Tensor, " n"] | None
) -> tuple[Int[Tensor, " m"], Int[Tensor, " m"]]:
    """The rows of which each is followed by another, and these others; of a group, if there are any.

    >>> [rows.tolist() for rows in neighbours_in_time(5, torch.tensor([0, 1, 0, 1, 0]))]
    [[0, 2, 1], [2, 4, 3]]
    """
    group = torch.zeros(n, dtype=torch.long) if group is None else group
    order = group.argsort(stable=True)
    before, after = order[:-1], order[1:]
    same = group[before] == group[after]
    if not same.any():
        raise InputError(
            f"none of {n} samples follows another of its group: give frames in order, and groups of at least "
            "two"
        )
    return before[same], after[same]
