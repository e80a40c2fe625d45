"""Some columns are those of another row: which ones, and what stood there?"""

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from ...backbone import Backbone
from ...method import param
from ...pretext import VECTORS, Pretext, batch_of, width_of
from ...trained import Network
from ...training import Step, Terms
from ..views import corrupted
from .decoder import moments_of


class Columns(nn.Module):
    """From features: how sure each column is another row's, and what the row's own is, by mean and spread."""

    mean: Tensor
    spread: Tensor

    def __init__(self, features: int, x: Tensor) -> None:
        super().__init__()
        self.foreign = nn.Linear(features, x.shape[1])
        self.own = nn.Linear(features, x.shape[1])
        mean, spread = moments_of(x)
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self.foreign(z), self.own(z)


@final
@dataclass(frozen=True, kw_only=True)
class MaskedColumns(Pretext):
    """min_{η,β,γ} ⟨BCE(h_β(φ_η(x̃)), m)⟩ + α ⟨(x̄ − g_γ(φ_η(x̃)))²⟩,  m = [x̃ ≠ x]

    x̃ is a row of which a share of the columns is that of other rows of the batch, m says which differ;
    h and g are linear, x̄ is the row, each column less its mean over the pool and by its spread; ⟨·⟩ is the
    mean over rows and columns. To see what does not fit φ has to know how columns hang together. It helps
    where they do. It harms where they do not (independent columns: nothing can be learned), and where the
    label is about a column that no other tells of, which a squared error gives up first. Columns of one
    category (one-hot) are replaced one by one.

    >>> import torch
    >>> from regraft.backbones import small_mlp
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randn(40, 5))
    >>> task = MaskedColumns(epochs=1, least_steps=2)
    >>> task.pretrain(pool, small_mlp(5)).backbone.features(pool.x[:1]).shape
    torch.Size([1, 64])
    """

    takes = frozenset({VECTORS})
    reference: ClassVar[str] = "Yoon et al., VIME, NeurIPS 2020, eq. 3 to 6"
    map: ClassVar[tuple[str, ...]] = ("M20",)

    hidden: float = param(0.3, "share of the columns that is replaced", search=(0.1, 0.3, 0.5))
    values: float = param(2.0, "α: what it costs to miss the values", search=(0.5, 2.0, 5.0))

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        return Network(backbone, Columns(width_of(backbone, x), x))

    def objective(self, network: Network, step: Step) -> Terms:
        x, columns = batch_of(step), network.head
        assert isinstance(columns, Columns)
        seen = corrupted(x, self.hidden)
        foreign, own = columns(network.features(seen))
        missed = (x.float() - columns.mean) / columns.spread - own.float()
        return {
            "which": bce(foreign.float(), (seen != x).float()),
            "values": self.values * missed.square().mean(),
        }
