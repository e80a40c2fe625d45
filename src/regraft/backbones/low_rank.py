"""A network with low-rank changes of its weights, W + s B A, kept as the factors."""

import math
from collections.abc import Mapping
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from ..backbone import Backbone
from ..errors import InputError
from .adapted import MOST_ADDED, part_at

MOST_SCALE = 1e6

Factors = tuple[Float[Tensor, "r i"], Float[Tensor, "o r"]]


@final
class LowRank(nn.Module):
    """A layer with W + s B A in the place of its weight W, whose rows are W's first axis.

    The product is made anew for every batch, which costs little beside the layer itself.

    >>> layer = LowRank(nn.Linear(3, 2), torch.ones(1, 3), torch.ones(2, 1), scale=0.5)
    >>> (layer.weight - layer.inner.weight).tolist()
    [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]
    """

    def __init__(
        self, inner: nn.Linear | nn.Conv2d, A: Float[Tensor, "r i"], B: Float[Tensor, "o r"], scale: float
    ) -> None:
        super().__init__()
        self.inner = inner
        self.A = nn.Parameter(A)
        self.B = nn.Parameter(B)
        self.scale = scale

    @property
    def weight(self) -> Float[Tensor, "o *i"]:
        """W + s B A."""
        own = self.inner.weight
        changed: Tensor = own + (self.scale * self.B @ self.A).view_as(own)
        return changed

    def forward(self, x: Tensor) -> Tensor:
        if isinstance(self.inner, nn.Conv2d):
            z: Tensor = self.inner._conv_forward(x, self.weight, self.inner.bias)
            return z
        return linear(x, self.weight, self.inner.bias)

    def extra_repr(self) -> str:
        return f"rank={len(self.A)}, scale={self.scale}"


def factored(backbone: Backbone, factors: Mapping[str, Factors], scale: float) -> Backbone:
    """The backbone with W + s B A in the place of W in some of its layers; it is changed.

    factors: from the path of a layer below the stages to (A, B). Raises InputError where there is no such
    layer, or where the factors are not of its size.

    >>> from regraft.backbones import small_mlp
    >>> phi = small_mlp(3, widths=(4,))
    >>> changed = factored(phi.copied(), {"0.linear": (torch.ones(1, 3), torch.ones(4, 1))}, scale=0.5)
    >>> torch.equal(changed.stages[0].linear.weight, phi.stages[0].linear.weight + 0.5)
    True
    """
    for path, (A, B) in factors.items():
        layer = _layer(backbone, path)
        if (len(B), A.shape[1]) != _sizes(layer):
            raise InputError(
                f"the factors for {path} are not of the size of its weight, {tuple(layer.weight.shape)}: "
                "give A with its columns and B with its rows"
            )
        backbone.stages.set_submodule(path, LowRank(layer, A, B, scale))
    backbone.spec = {
        "loader": "low rank",
        "of": backbone.spec,
        "ranks": {path: len(A) for path, (A, _) in factors.items()},
        "scale": scale,
    }
    return backbone


def rebuild_factored(spec: dict[str, Any], of: Backbone) -> Backbone:
    """The network that `spec` describes, with factors of zeros, from the one whose weights they change."""
    ranks, scale = spec["ranks"], spec["scale"]
    whole = all(type(rank) is int and rank > 0 for rank in ranks.values())
    if not whole or not -MOST_SCALE <= scale <= MOST_SCALE:
        raise InputError("ranks are whole numbers above 0, and scales are finite: save the model again")
    added = sum(m.A.numel() + m.B.numel() for m in of.modules() if isinstance(m, LowRank))
    factors: dict[str, Factors] = {}
    for path, rank in ranks.items():
        rows, columns = _sizes(_layer(of, path))
        added += rank * (rows + columns)
        if added > MOST_ADDED:
            raise InputError(f"the factors have more than {MOST_ADDED:,} numbers: save the model again")
        factors[path] = (torch.zeros(rank, columns), torch.zeros(rows, rank))
    return factored(of, factors, scale)


def _layer(backbone: Backbone, path: str) -> nn.Linear | nn.Conv2d:
    """The layer at a path, of a kind that does nothing with its weight but to multiply."""
    layer = part_at(backbone, path)
    if type(layer) is nn.Linear or type(layer) is nn.Conv2d:
        return layer
    raise InputError(
        f"{path} of {backbone.name} is {type(layer).__name__}, whose weight cannot be changed by factors: "
        "name linear layers and convolutions"
    )


def _sizes(layer: nn.Linear | nn.Conv2d) -> tuple[int, int]:
    """The rows and columns of its weight as a matrix."""
    return len(layer.weight), math.prod(layer.weight.shape[1:])
