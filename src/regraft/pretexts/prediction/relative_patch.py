"""Where does this tile lie, seen from that one?"""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ...backbone import Backbone
from ...method import param
from ...pretext import Pretext, batch_of
from ...trained import Network
from ...training import Step, Terms
from .tiles import Siamese, must_be_cut, tiles

GRID, MIDDLE, NEIGHBOURS = 3, 4, 8


@final
@dataclass(frozen=True, kw_only=True)
class RelativePatch(Pretext):
    """min_{η,β} (1/n) Σ CE(h_β(φ_η(middle xᵢ), φ_η(neighbour_k xᵢ)), k),  k drawn from 1 … 8

    Of a picture cut into 3 × 3 tiles, h (two layers) sees the features of the middle one and of one around
    it, and says which of the eight it is. To know that an ear is above a nose is to know both. It helps where
    things fill the picture and have parts with places. It harms where the labels are about the whole or its
    place, for φ sees ninths of pictures alone; and it teaches nothing where things are smaller than a tile,
    or have no order. Tiles leave gaps, so that strokes that go on do not tell, and are enlarged to the size
    of the picture: as small as they are φ learns mostly of their borders (photographs of 32 pixels, three
    draws: +1.5 to +4.1 points over random features, and −0.6 to +3.6 without).

    >>> from regraft.backbones import small_convnet
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randint(256, (40, 12, 12), dtype=torch.uint8))
    >>> made = RelativePatch(epochs=1, least_steps=2).pretrain(pool, small_convnet((12, 12), "grey", width=2))
    >>> made.backbone.features(pool.x[:1]).shape
    torch.Size([1, 16])
    """

    blind_to: ClassVar[tuple[str, ...]] = ("position",)
    reference: ClassVar[str] = "Doersch, Gupta & Efros, ICCV 2015, arXiv:1505.05192, section 3"
    map: ClassVar[tuple[str, ...]] = ("M18",)
    usual: ClassVar[float] = 0.028

    gap: float = param(0.15, "share of a cell's side that a tile leaves out", search=(0.1, 0.15, 0.25))
    width: int = param(256, "of the hidden layer that sees both tiles", search=(128, 256, 512))

    def must_take(self, x: Tensor) -> None:
        super().must_take(x)
        must_be_cut(x, GRID)

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        return Network(backbone, Siamese.enlarged(backbone, x, tiles=2, width=self.width, out=NEIGHBOURS))

    def objective(self, network: Network, step: Step) -> Terms:
        x, head = batch_of(step), network.head
        assert isinstance(head, Siamese)
        k = torch.randint(NEIGHBOURS, (len(x),))
        scores = head.says(network, beside_the_middle(tiles(x, GRID, self.gap), k))
        step.note("told right", (scores.argmax(1).cpu() == k).float().mean())
        return {"place": cross_entropy(scores, k.to(scores.device))}


def beside_the_middle(cut: Tensor, k: Tensor) -> Tensor:
    """The middle one of nine tiles, and neighbour k of it, counted like text.

    >>> beside_the_middle(torch.arange(9.0).expand(2, 9), torch.tensor([3, 4])).tolist()
    [[4.0, 3.0], [4.0, 5.0]]
    """
    other = k + (k >= MIDDLE)
    return torch.stack([cut[:, MIDDLE], cut[torch.arange(len(cut)), other]], 1)
