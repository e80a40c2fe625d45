"""The mean over places, which makes features of any stage."""

from torch import Tensor, nn

from ..backbone import Backbone


class Pool(nn.Module):
    """The mean over all places of maps (n × c × h × w) or tokens (n × t × c); vectors as they are.

    >>> import torch
    >>> [tuple(Pool()(torch.ones(shape)).shape) for shape in ((2, 3, 4, 4), (2, 5, 3), (2, 3))]
    [(2, 3), (2, 3), (2, 3)]
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim == 4:
            return x.mean((2, 3))
        return x.mean(1) if x.ndim == 3 else x


def pool() -> Backbone:
    """A backbone that pools and does nothing else, to stand behind a cut."""
    return Backbone([("pool", Pool())], name="pool", spec={"loader": "pool"})


def shortened(backbone: Backbone, stages: int) -> Backbone:
    """The first stages of a network, with features of their own; the same network where all are meant.

    >>> from regraft.backbones import small_convnet
    >>> short = shortened(small_convnet(size=(32, 32), colour="rgb"), 2)
    >>> short.names[-1], len(short)
    ('pool', 3)
    """
    if stages == len(backbone):
        return backbone
    return pool().behind(backbone[:stages])
