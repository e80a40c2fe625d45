"""Which way up is it?"""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Int, UInt8
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ...backbone import Backbone
from ...pretext import Pretext, batch_of, width_of
from ...trained import Network
from ...training import Step, Terms

TURNS = 4


@final
@dataclass(frozen=True, kw_only=True)
class Rotation(Pretext):
    """min_{η,β} (1/n) Σ CE(h_β(φ_η(R_k xᵢ)), k),  k drawn from 0, 1, 2, 3

    R_k turns a picture by k · 90 degrees, h is linear. To tell which way up a picture is, φ has to know what
    things look like, which is what most classes are told by. Of a picture that is no square the middle is
    turned. It harms where the way up is what the labels are about (6 and 9, arrows), for it then learns to
    see it all the more but is fed pictures that lie; and it teaches nothing where things have no way up
    (cells, textures, pictures from above).

    >>> from regraft.backbones import small_convnet
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randint(256, (40, 8, 8), dtype=torch.uint8))
    >>> made = Rotation(epochs=1, least_steps=2).pretrain(pool, small_convnet((8, 8), "grey", width=2))
    >>> made.backbone.features(pool.x[:1]).shape
    torch.Size([1, 16])
    """

    blind_to: ClassVar[tuple[str, ...]] = ("orientation",)
    reference: ClassVar[str] = "Gidaris, Singh & Komodakis, ICLR 2018, arXiv:1803.07728, eq. 2"
    map: ClassVar[tuple[str, ...]] = ("M17",)
    usual: ClassVar[float] = 0.034

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        return Network(backbone, nn.Linear(width_of(backbone, x), TURNS))

    def objective(self, network: Network, step: Step) -> Terms:
        x = batch_of(step)
        k = torch.randint(TURNS, (len(x),))
        scores = network(turned(x, k))
        step.note("told right", (scores.argmax(1).cpu() == k).float().mean())
        return {"rotation": cross_entropy(scores, k.to(scores.device))}


def turned(x: UInt8[Tensor, "n c h w"], k: Int[Tensor, " n"]) -> UInt8[Tensor, "n c s s"]:
    """The middle square of every picture, turned k · 90 degrees against the clock.

    >>> turned(torch.tensor([[[[1, 2], [3, 4]]]], dtype=torch.uint8), torch.tensor([1])).tolist()
    [[[[2, 4], [1, 3]]]]
    """
    x = middle_square(x)
    k = k.to(x.device)
    out = torch.empty_like(x)
    for turns in range(TURNS):
        out[k == turns] = x[k == turns].rot90(turns, (2, 3))
    return out


def middle_square(x: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n c s s"]:
    """As large a square as there is, from the middle.

    >>> middle_square(torch.zeros(1, 1, 4, 7, dtype=torch.uint8)).shape
    torch.Size([1, 1, 4, 4])
    """
    side = min(x.shape[2:])
    top, left = ((length - side) // 2 for length in x.shape[2:])
    return x[:, :, top : top + side, left : left + side]
