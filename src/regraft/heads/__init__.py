"""β, what turns features into scores: each head is a module whose numbers save as tensors."""

from typing import Any

from torch import nn

from ..errors import InputError
from .affine import Affine, Mapped
from .boosting import Trees
from .constant import Constant
from .feature_pyramid import FeaturePyramid
from .hypercolumn import Hypercolumn
from .kernel import Kernel
from .linear import Linear
from .mlp import MLP
from .neighbour_means import NeighbourMeans
from .neighbours import Neighbours
from .prototypes import Prototypes, class_means, left_out_squared
from .semantics import Semantics
from .votes import Votes

__all__ = [
    "HEADS",
    "MLP",
    "Affine",
    "Constant",
    "FeaturePyramid",
    "Hypercolumn",
    "Kernel",
    "Linear",
    "Mapped",
    "NeighbourMeans",
    "Neighbours",
    "Prototypes",
    "Semantics",
    "Trees",
    "Votes",
    "class_means",
    "head_from_json",
    "left_out_squared",
]

MOST = 1 << 24  # features, classes or samples of a head

HEADS: dict[str, type[nn.Module]] = {
    head.kind: head
    for head in (
        Constant,
        FeaturePyramid,
        Hypercolumn,
        Kernel,
        Linear,
        MLP,
        Mapped,
        NeighbourMeans,
        Neighbours,
        Prototypes,
        Semantics,
        Trees,
        Votes,
    )
}


def head_from_json(saved: dict[str, Any]) -> nn.Module:
    """An empty head of the saved kind and size; its tensors are loaded into it. The list is closed."""
    kind = saved.get("kind")
    if kind not in HEADS:
        raise InputError(
            f"head of kind {kind!r} is unknown to this version of Regraft; known: {sorted(HEADS)}"
        )
    sizes = {name: size for name, size in saved.items() if name != "kind"}
    for name in {"features", "classes", "hidden", "samples", "nearest", "votes", "width"} & set(sizes):
        if type(sizes[name]) is not int or not 0 < sizes[name] <= MOST:
            raise InputError(f"a head with {name} = {sizes[name]!r} is none: save the model again")
    return HEADS[kind](**sizes)
