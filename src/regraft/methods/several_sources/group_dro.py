"""GroupDRO: the sources that are hardest count most."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...domain import Domain
from ...method import param
from ...trained import Network
from ...training import Terms
from ..across_sources import AcrossSources, origins_of


@final
@dataclass(frozen=True, kw_only=True)
class GroupDRO(AcrossSources):
    """min_{η,β} max_q Σ_g q_g R_g(φ_η, β),  q_g ← q_g e^(η_q R_g) / Σ_h q_h e^(η_q R_h) in every step

    R_g is the mean loss on the samples of source g in a batch (0 where it has none); q starts from equal
    shares. It helps where one source, perhaps a rare one, is learned worse than the others and the target may
    be like it: it trades the mean for the worst. Labels that are wrong in one source make that source the
    hardest, and it counts most. A network that gets every training sample right has nothing left to weigh:
    then more weight decay, or fewer steps, are needed for a difference. η_q = 0 is the mean over sources.

    >>> from regraft import Problem
    >>> from regraft.backbones import small_mlp
    >>> from regraft.pooling import pooled
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.3]], ["low", "high"])
    >>> both = pooled({"lab": lab, "field": field})
    >>> GroupDRO().fit(Problem(source=both), small_mlp(1)).predict([[0.1], [1.2]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Sagawa, Koh, Hashimoto & Liang, ICLR 2020, arXiv:1911.08731, algorithm 1"
    map: ClassVar[tuple[str, ...]] = ("M34",)

    group_rate: float = param(0.01, "η_q: how fast hard sources gain weight", search=(0.0, 0.001, 0.01, 0.1))

    def following(self, source: Domain) -> dict[str, nn.Module]:
        return {"shares": Shares(int(origins_of(source).max()) + 1)}

    def across(self, network: Network, z: Float[Tensor, "n d"], source: Domain) -> Terms:
        y = source.labels.to(z.device)
        loss = source.asked.loss(network.head(z), y)
        if source.weight is not None:
            loss = loss * source.weight.to(z.device)
        shares = network.following["shares"]
        assert isinstance(shares, Shares)
        each = mean_of_each(loss, origins_of_batch(source).to(z.device), len(shares.q))
        shares.raise_by(self.group_rate * each.detach())
        return {"risk": (shares.q.clone() * each).sum()}


@final
class Shares(nn.Module):
    """q, a share of every source."""

    q: Tensor

    def __init__(self, sources: int) -> None:
        super().__init__()
        self.register_buffer("q", torch.full((sources,), 1 / sources))

    def raise_by(self, exponent: Float[Tensor, " g"]) -> None:
        """q ∝ q e^exponent"""
        self.q.copy_((self.q.log() + exponent.to(self.q.dtype)).softmax(0))


def origins_of_batch(source: Domain) -> Int[Tensor, " n"]:
    """Which source every sample of a batch came from; a batch may hold samples of one alone."""
    found: Tensor = source.origin
    return found


def mean_of_each(loss: Float[Tensor, " n"], origin: Int[Tensor, " n"], sources: int) -> Float[Tensor, " g"]:
    """The mean of the losses of every source, 0 of one that has none.

    >>> mean_of_each(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([0, 0, 2]), 3).tolist()
    [2.0, 0.0, 5.0]
    """
    total = loss.new_zeros(sources).index_add(0, origin, loss)
    count = loss.new_zeros(sources).index_add(0, origin, torch.ones_like(loss))
    return total / count.clamp_min(1)
