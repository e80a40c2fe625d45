"""Which tile belongs where?"""

from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import ClassVar, final

import numpy as np
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


@final
@dataclass(frozen=True, kw_only=True)
class Jigsaw(Pretext):
    """min_{η,β} (1/n) Σ CE(h_β(φ_η(tile_{π_k(1)} xᵢ), …, φ_η(tile_{π_k(t)} xᵢ)), k),  k drawn from 1 … K

    A picture is cut into t = grid² tiles, which are put in the order π_k, one of K fixed permutations that
    are far apart (`far_apart`); h, two layers, sees the features of all tiles and says which. To put parts
    in order φ has to know them. It helps where things consist of parts that have their places. It harms where
    the labels are about the whole or its place, for φ sees tiles alone; and it teaches nothing where parts
    have no order (textures, cells). Tiles leave gaps, but light and colour that change slowly across a
    picture still tell the order without any part being known. φ sees tiles as they are, or scaled to the size
    of the picture if it takes no other.

    >>> from regraft.backbones import small_convnet
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randint(256, (40, 8, 8), dtype=torch.uint8))
    >>> made = Jigsaw(epochs=1, least_steps=2).pretrain(pool, small_convnet((8, 8), "grey", width=2))
    >>> made.backbone.features(pool.x[:1]).shape
    torch.Size([1, 16])
    """

    blind_to: ClassVar[tuple[str, ...]] = ("position",)
    reference: ClassVar[str] = "Noroozi & Favaro, ECCV 2016, arXiv:1603.09246, section 3 and algorithm 1"
    map: ClassVar[tuple[str, ...]] = ("M18",)
    usual: ClassVar[float] = 0.051

    grid: int = param(2, "tiles a side", search=(2, 3))
    orders: int = param(12, "K: permutations, all there are at the most", search=(12, 24, 64))
    gap: float = param(0.15, "share of a cell's side that a tile leaves out", search=(0.1, 0.15, 0.25))
    width: int = param(256, "of the hidden layer that sees all tiles", search=(128, 256, 512))

    def must_take(self, x: Tensor) -> None:
        super().must_take(x)
        must_be_cut(x, self.grid)

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        cut = tiles(x[:2], self.grid, self.gap)
        orders = len(far_apart(self.grid**2, self.orders))
        return Network(backbone, Siamese.of(backbone, cut, x, width=self.width, out=orders))

    def objective(self, network: Network, step: Step) -> Terms:
        x, head = batch_of(step), network.head
        assert isinstance(head, Siamese)
        orders = far_apart(self.grid**2, self.orders)
        k = torch.randint(len(orders), (len(x),))
        cut = tiles(x, self.grid, self.gap)
        scores = head.says(network, cut[torch.arange(len(x))[:, None], orders[k]])
        step.note("told right", (scores.argmax(1).cpu() == k).float().mean())
        return {"jigsaw": cross_entropy(scores, k.to(scores.device))}


@cache
def far_apart(tiles: int, count: int) -> Int[Tensor, "k t"]:
    """Permutations of which each, in turn, is as far as can be from all before it, by its nearest of them.

    How far is in how many places two differ (Hamming). Of those equally far it is the one that is farthest
    from all before it in the mean, then the first; the first of all leaves everything where it is.

    >>> far_apart(3, 3).tolist()
    [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    """
    every = np.array(list(permutations(range(tiles))), dtype=np.int8)
    chosen = [0]
    nearest, total = np.full(len(every), tiles), np.zeros(len(every), dtype=int)
    while len(chosen) < min(count, len(every)):
        far = (every != every[chosen[-1]]).sum(1)
        nearest, total = np.minimum(nearest, far), total + far
        chosen.append(int(np.lexsort((-total, -nearest))[0]))
    return torch.from_numpy(every[chosen].astype(np.int64))
