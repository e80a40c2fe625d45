"""What tasks have in common that make samples again of their features."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from ...backbone import Backbone
from ...pretext import PIXELS, VECTORS, Pretext
from ...trained import Network
from .decoder import Decoder


@dataclass(frozen=True, kw_only=True)
class Reconstruction(Pretext):
    """A task whose head is a decoder that mirrors the backbone (`Decoder`)."""

    takes = frozenset({PIXELS, VECTORS})

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        return Network(backbone, Decoder(backbone, x))


def decoder_of(network: Network) -> Decoder:
    """The head, where it is a decoder."""
    assert isinstance(network.head, Decoder)
    return network.head


def squared_error(network: Network, seen: Tensor, x: Tensor) -> Float[Tensor, "n ..."]:
    """(x̄ − g(φ(seen)))², number by number."""
    decoder = decoder_of(network)
    made: Tensor = decoder(network.backbone(seen)).float()
    return (decoder.aim(x) - made).square()


def painted_over(
    x: UInt8[Tensor, "n c h w"], gone: Bool[Tensor, "n 1 h w"], colour: Float[Tensor, "c 1 1"]
) -> UInt8[Tensor, "n c h w"]:
    """Pictures with one colour where something is to be gone.

    >>> x, gone = torch.ones(1, 1, 1, 2, dtype=torch.uint8), torch.tensor([[[[True, False]]]])
    >>> painted_over(x, gone, torch.full((1, 1, 1), 7.2)).tolist()
    [[[[7, 1]]]]
    """
    return torch.where(gone, colour.round().clamp(0, 255).to(torch.uint8), x)
