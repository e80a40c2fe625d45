"""The small network that is cut where none is named: trained some hundred times, it has to be quick."""

from torch import Tensor

from ..backbone import Backbone
from ..backbones import small_convnet, small_mlp
from ..domain import Domain
from ..samples import kind_of

WIDTH, DEPTH = 12, 6  # channels of the first stage, and stages, for images squashed to 32×32
UNITS = (64, 64, 64, 64)  # for vectors


def untrained(domain: Domain) -> Backbone:
    """A network from random weights for images (six stages) or vectors (four).

    >>> import torch
    >>> untrained(Domain(torch.zeros(2, 3))).names
    ['layer1', 'layer2', 'layer3', 'layer4']
    """
    if kind_of(domain.x) == "images":
        return small_convnet(width=WIDTH, depth=DEPTH)
    assert isinstance(domain.x, Tensor)
    return small_mlp(int(domain.x[0].numel()), UNITS)
