"""What colours has it, seen in grey?"""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy

from ...backbone import Backbone
from ...errors import InputError
from ...method import param
from ...pretext import Pretext, batch_of, width_of
from ...trained import Network
from ...training import Step, Terms

LIGHT = (0.299, 0.587, 0.114)  # how bright red, green and blue are (ITU-R BT.601)
BLUE, RED = 0.564, 0.713  # so that both chromas lie between −½ and ½ of white
LEAST_CHROMA = 1.0  # of 255: less is what rounding leaves of grey
PART = 256  # pictures that are looked at at once


class Palette(nn.Module):
    """Scores of Q = bins² colours at every place of a grid, and what each colour weighs.

    weight_q ∝ 1 / ((1 − λ) p_q + λ/Q), with Σ_q p_q weight_q = 1, p_q how often it is in the pool.
    """

    low: Tensor
    step: Tensor
    weight: Tensor

    def __init__(self, features: int, x: UInt8[Tensor, "n 3 h w"], places: int, bins: int, even: float):
        super().__init__()
        self.places, self.bins = places, bins
        seen = torch.cat([self.at_places(part) for part in x.split(PART)]).flatten(0, 1)
        low, high = seen.amin(0), seen.amax(0)
        self.register_buffer("low", low)
        self.register_buffer("step", (high - low).clamp_min(1e-6) / bins)
        p = torch.bincount(self.quantised(seen), minlength=bins**2) / len(seen)
        self.register_buffer("weight", rebalanced(p, even))
        self.layer = nn.Linear(features, bins**2 * places**2)

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n q places"]:
        scores: Tensor = self.layer(z).unflatten(1, (self.bins**2, self.places**2))
        return scores

    def at_places(self, x: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n places 2"]:
        """The mean chroma at every place."""
        return adaptive_avg_pool2d(chroma(x), self.places).flatten(2).transpose(1, 2)

    def quantised(self, seen: Float[Tensor, "*n 2"]) -> Int[Tensor, "*n"]:
        """Which of the colours it is."""
        blue, red = ((seen - self.low) / self.step).long().clamp(0, self.bins - 1).unbind(-1)
        return blue * self.bins + red


@final
@dataclass(frozen=True, kw_only=True)
class Colorization(Pretext):
    """min_{η,β} (1/nP) Σ_i Σ_p w(q_ip) CE(h_β(φ_η(grey xᵢ))_p, q_ip)

    q_ip is the mean colour of picture i at place p of a grid, P places, without its light: one of bins²
    intervals of two chromas (`chroma`) over the range of the pool. h is linear; w weighs rare colours up,
    or all would be told to be greyish. To tell colours from grey φ has to know what things are. The paper
    shares a colour out to its five nearest bins, here it is one. It helps where things have colours of their
    own. It harms where colour is what the labels are about: φ learns on pictures without; and it teaches
    nothing where colours are those of the light or by chance (clothes, cars).

    >>> from regraft.backbones import small_convnet
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randint(256, (40, 8, 8, 3), dtype=torch.uint8))
    >>> made = Colorization(epochs=1, least_steps=2).pretrain(pool, small_convnet((8, 8), width=2))
    >>> made.backbone.features(pool.x[:1]).shape
    torch.Size([1, 16])
    """

    blind_to: ClassVar[tuple[str, ...]] = ("colour",)
    reference: ClassVar[str] = "Zhang, Isola & Efros, ECCV 2016, arXiv:1603.08511, eq. 2 to 4"
    map: ClassVar[tuple[str, ...]] = ("M19",)
    usual: ClassVar[float] = 0.053

    places: int = param(4, "places a side at which colours are told", search=(2, 4, 8))
    bins: int = param(6, "intervals of each of the two chromas", search=(4, 6, 10))
    even: float = param(0.5, "λ: how far weights stop short of making all colours equal", (0.1, 0.5, 1.0))

    def must_take(self, x: Tensor) -> None:
        super().must_take(x)
        if x.shape[1] != 3 or all(chroma(part).abs().max() < LEAST_CHROMA for part in x.split(PART)):
            raise InputError(
                f"Colorization foretells colours, and the {len(x)} pictures are all grey to the network: "
                "give pictures in colour to one that takes colours, or take another task"
            )

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        return Network(backbone, Palette(width_of(backbone, x), x, self.places, self.bins, self.even))

    def objective(self, network: Network, step: Step) -> Terms:
        x, palette = batch_of(step), network.head
        assert isinstance(palette, Palette)
        scores = network(in_grey(x)).float()
        colours = palette.quantised(palette.at_places(x))
        missed = cross_entropy(scores, colours, reduction="none")
        return {"colour": (palette.weight[colours] * missed).mean()}


def luminance(x: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1 h w"]:
    """Y = 0.299 R + 0.587 G + 0.114 B, from 0 to 255"""
    return (x.float() * torch.tensor(LIGHT, device=x.device)[:, None, None]).sum(1, keepdim=True)


def in_grey(x: UInt8[Tensor, "n 3 h w"]) -> UInt8[Tensor, "n 3 h w"]:
    """The same without its colours, in three equal channels.

    >>> in_grey(torch.tensor([255, 0, 0], dtype=torch.uint8).reshape(1, 3, 1, 1)).flatten().tolist()
    [76, 76, 76]
    """
    return luminance(x).round().to(torch.uint8).expand(-1, 3, -1, -1)


def chroma(x: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n 2 h w"]:
    """Cb = 0.564 (B − Y) and Cr = 0.713 (R − Y), the colour without its light (ITU-R BT.601)

    >>> [round(c, 1) for c in chroma(torch.tensor([0, 0, 255]).reshape(1, 3, 1, 1)).flatten().tolist()]
    [127.4, -20.7]
    """
    y = luminance(x)
    return torch.cat([BLUE * (x[:, 2:] - y), RED * (x[:, :1] - y)], 1)


def rebalanced(p: Float[Tensor, " q"], even: float) -> Float[Tensor, " q"]:
    """w_q ∝ 1 / ((1 − λ) p_q + λ/Q),  Σ_q p_q w_q = 1

    Zhang et al., ECCV 2016, arXiv:1603.08511, eq. 4.

    >>> rebalanced(torch.tensor([0.25, 0.75]), 0.0).tolist()
    [2.0, 0.6666666865348816]
    """
    w = 1 / ((1 - even) * p + even / len(p)).clamp_min(1e-12)
    return w / (p * w).sum()
