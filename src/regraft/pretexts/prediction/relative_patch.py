"""Where does this tile lie, seen from that one?"""

from dataclasses import dataclass
from itertools import product
from typing import ClassVar, final

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from ...backbone import Backbone
from ...method import param
from ...pretext import Pretext, batch_of
from ...trained import Network
from ...training import Step, Terms
from .tiles import Siamese, must_be_cut, tiles

AROUND = tuple((down, across) for down in (-1, 0, 1) for across in (-1, 0, 1) if down or across)


@final
@dataclass(frozen=True, kw_only=True)
class RelativePatch(Pretext):
    """min_{η,β} (1/n) Σ CE(h_β(φ_η(tile aᵢ of xᵢ), φ_η(tile bᵢ of xᵢ)), where bᵢ lies, seen from aᵢ)

    Of a picture cut into grid × grid tiles, h (two layers) sees the features of two that touch, drawn anew,
    and says in which of eight directions the second lies. To know that an ear is above a nose is to know
    both. It helps where things fill the picture and have parts with places. It harms where the labels are
    about the whole or its place, for φ sees parts of pictures alone; and it teaches nothing where things are
    smaller than a tile, or have no order. Tiles leave gaps, so that strokes that go on do not tell. The paper
    has the middle one of 3 × 3 and those around it, of large photographs; of 32 pixels such tiles are so
    small that φ learns mostly of their borders (three draws: −0.6 to +3.6 points over random features).

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
    usual: ClassVar[float] = 0.05

    grid: int = param(2, "tiles a side", search=(2, 3))
    gap: float = param(0.15, "share of a cell's side that a tile leaves out", search=(0.1, 0.15, 0.25))
    width: int = param(256, "of the hidden layer that sees both tiles", search=(128, 256, 512))

    def must_take(self, x: Tensor) -> None:
        super().must_take(x)
        must_be_cut(x, self.grid)

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        two = tiles(x[:2], self.grid, self.gap)[:, :2]
        return Network(backbone, Siamese.of(backbone, two, x, width=self.width, out=len(AROUND)))

    def objective(self, network: Network, step: Step) -> Terms:
        x, head = batch_of(step), network.head
        assert isinstance(head, Siamese)
        pairs = touching(self.grid)
        one, other, direction = pairs[torch.randint(len(pairs), (len(x),))].unbind(1)
        cut = tiles(x, self.grid, self.gap)
        scores = head.says(network, cut[torch.arange(len(x))[:, None], torch.stack([one, other], 1)])
        step.note("told right", (scores.argmax(1).cpu() == direction).float().mean())
        return {"place": cross_entropy(scores, direction.to(scores.device))}


def touching(grid: int) -> Int[Tensor, "p 3"]:
    """All pairs of tiles that touch, counted like text: the one, the other, and in which of the eight
    directions (like text as well) that lies.

    >>> touching(2)[:3].tolist()  # to the right, below, and below on the right
    [[0, 1, 4], [0, 2, 6], [0, 3, 7]]
    """
    found = []
    for row, column in product(range(grid), repeat=2):
        for k, (down, across) in enumerate(AROUND):
            if 0 <= row + down < grid and 0 <= column + across < grid:
                found.append((grid * row + column, grid * (row + down) + column + across, k))
    return torch.tensor(sorted(found))
