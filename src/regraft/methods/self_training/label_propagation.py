"""Label propagation: labels flow from sample to sample along a graph of neighbours."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

import scipy.sparse
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ...domain import Domain
from ...heads import Linear
from ...heads.affine import Affine
from ...heads.neighbours import most_similar, on_sphere
from ...method import param
from ...output import Classes
from ...terms.propagation import propagated
from ...training import Training
from ..both_sides import OnBothSides, Seen, Sides, middles
from ..features.learners import LEARNERS
from ..label_shift.held_out import class_shares
from .self_paced import head_less


@final
@dataclass(frozen=True, kw_only=True)
class LabelPropagation(OnBothSides):
    """F = (I − α S)⁻¹ Y,  then min_h Σ_s ℓ(h(z_s), y_s) + Σ_t (1 − H(F_t) / log K) ℓ(h(z_t), argmax_c F_tc)

    S = D^(−½) W D^(−½) is the graph of the nearest neighbours of all samples by cosine, W their similarity to
    the power of `power` (`terms.propagation`); Y has a 1 for the class of every labelled sample and is 0
    elsewhere. F_t, scaled to sum to 1, says of what classes sample t is; its entropy H says how sure that is,
    and so how much the sample counts when a head learns from all. With `mass`, F_c is scaled first so
    that the classes have the source's shares of the target, and none floods the others. It helps where
    classes are joined regions of any shape with few samples between them, which a plane through few labels
    does not find. It harms where neighbours are often of different classes, as in many dimensions of noise:
    then labels flow across the borders; and with `mass` where the target has other shares.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> few = Domain([[0.0, 1.0], [1.0, 0.0]], ["up", "right"])
    >>> pool = Domain([[0.1, 1.0], [0.2, 1.0], [0.3, 1.0], [1.0, 0.1], [1.0, 0.2]])
    >>> model = LabelPropagation(neighbours=2).fit(Problem(target_labelled=few, unlabelled=pool), vectors())
    >>> model.predict([[0.3, 0.9], [0.9, 0.3]])
    ['up', 'right']
    """

    reference: ClassVar[str] = (
        "Zhou et al., Learning with local and global consistency, NIPS 2003; Zhu, Ghahramani & Lafferty, "
        "ICML 2003, section 4; Iscen et al., CVPR 2019, arXiv:1904.04717"
    )
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    semi: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M25",)

    learner: str = param(
        "ridge", "what learns from the labels that arrive: auto, probe, ridge, or kernel", LEARNERS
    )
    neighbours: int = param(10, "nearest samples that a sample is joined with", search=(5, 10, 20, 50))
    alpha: float = param(0.9, "α: how much of F comes from neighbours", search=(0.5, 0.9, 0.99))
    power: float = param(
        3.0, "to which similarities are taken: larger ones hear the nearest", (1.0, 3.0, 10.0)
    )
    mass: bool = param(True, "whether the classes keep the source's shares", search=(False, True))
    apart: bool = param(False, "whether each side is seen less its own mean", search=(False, True))

    def sides(self, seen: Seen, training: Training) -> Sides:
        source, target, classes = seen.source.x, seen.target, seen.source.classes
        middle = middles(source, target, self.apart)
        sides = [z - centre for z, centre in zip((source, target), middle, strict=True)]
        z = torch.cat(sides)
        graph = cosine_graph(on_sphere(z, torch.zeros(z.shape[1])), self.neighbours, self.power)
        given = torch.zeros(len(z), classes.width, dtype=torch.float64)
        given[: len(source)] = one_hot(seen.source.labels, classes.width).double()
        arrived = propagated(graph, given, self.alpha)[len(source) :].clamp_min(0)
        if self.mass:
            arrived = arrived * class_shares(seen.source) / arrived.sum(0).clamp_min(1e-300)
        sure, label = sureness(arrived), arrived.argmax(1)
        own = torch.ones(len(source)) if seen.source.weight is None else seen.source.weight
        all_of_them = Domain(
            z,
            torch.cat([seen.source.labels, label]),
            classes,
            weight=torch.cat([own.double(), sure]),
        )
        head = self.taught_by(all_of_them, training)
        back, there = (behind(centre, head) for centre in middle)
        return Sides(there, back, {"reached": int((sure > 0).sum()), "counts_as": float(sure.sum())})


def behind(centre: Float[Tensor, " d"], head: nn.Module) -> nn.Module:
    """The head of z − centre, as a head of z."""
    if isinstance(head, Linear):
        return head_less(head, centre)
    return Affine(torch.eye(len(centre), dtype=torch.float64), -centre).then(head)


def cosine_graph(u: Float[Tensor, "n d"], neighbours: int, power: float) -> Any:
    """W = A + Aᵀ,  a_ij = max(0, u_iᵀ u_j)^power  if j is one of the nearest of i, and 0 elsewhere: n × n

    u: rows of length 1. Iscen et al., CVPR 2019, arXiv:1904.04717, section 4.1.

    >>> u = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> cosine_graph(u, 1, 1.0).toarray().round(3).tolist()
    [[0.0, 1.6, 0.0], [1.6, 0.0, 0.6], [0.0, 0.6, 0.0]]
    """
    n = len(u)
    near = most_similar(u, u, min(neighbours, n - 1), torch.arange(n))
    weight = (u[:, None] * u[near]).sum(2).double().clamp_min(0) ** power
    rows = torch.arange(n)[:, None].expand_as(near)
    at = rows.reshape(-1).numpy(), near.reshape(-1).numpy()
    a = scipy.sparse.csr_array((weight.reshape(-1).numpy(), at), shape=(n, n))
    return (a + a.T).tocsr()


def sureness(mass: Float[Tensor, "m k"]) -> Float[Tensor, " m"]:
    """1 − H(p) / log K, p the row scaled to sum to 1; 0 where nothing arrived.

    >>> sureness(torch.tensor([[2.0, 0.0], [1.0, 1.0], [0.0, 0.0]])).tolist()
    [1.0, 0.0, 0.0]
    """
    total = mass.sum(1)
    p = mass / total.clamp_min(1e-300)[:, None]
    entropy = -torch.xlogy(p, p).sum(1)
    sure = (1 - entropy / math.log(max(mass.shape[1], 2))).clamp(0, 1)
    return torch.where(total > 0, sure, torch.zeros_like(sure))
