"""BatchNorm's statistics, taken anew of given samples."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .engine import Engine

BATCH = 128  # samples whose statistics are one entry of the mean


@torch.no_grad()
def recount(network: nn.Module, batches: Iterable[Tensor], share: float = 1.0) -> None:
    """(1 − a) · what BatchNorm has counted + a · the mean over all batches of a batch's mean and variance

    share: a; at 1 the old statistics are forgotten. Each layer counts what it sees while the layers below it
    take the statistics of the batch, whatever a is, so batches should be large and alike in size. Nothing
    else changes, and dropout is off.

    Li et al., Adaptive batch normalization, Pattern Recognition 2018, arXiv:1603.04779, algorithm 1; mixed as
    in Schneider et al., NeurIPS 2020, arXiv:2006.16971, eq. 2.

    >>> norm = nn.BatchNorm1d(1)
    >>> recount(norm, [torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0], [6.0]])])
    >>> norm.running_mean.item(), norm.running_var.item()
    (3.0, 2.0)
    >>> recount(norm, [torch.tensor([[9.0], [9.0]])], share=0.5)
    >>> norm.running_mean.item(), norm.running_var.item()
    (6.0, 1.0)
    """
    network.eval()
    norms = norms_of(network)
    before = [[old.clone() for old in statistics(norm)] for norm in norms]
    memories = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
        norm.train()
    for batch in batches:
        network(batch)
    for norm, memory, olds in zip(norms, memories, before, strict=True):
        norm.momentum = memory
        if share < 1:
            for old, new in zip(olds, statistics(norm), strict=True):
                new.copy_(torch.lerp(old, new, share))
    network.eval()


def recount_on(network: nn.Module, x: Tensor, engine: Engine, share: float = 1.0) -> None:
    """`recount` of these samples, in batches of alike size, each of them from everywhere.

    Samples often come class by class, and statistics of one class are not those of all: the order is drawn,
    always the same. A single sample has no variance, and changes nothing.
    """
    if len(x) < 2:
        return
    engine.settle(network, pictures=x.ndim == 4)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    with engine.autocast():
        rows = order.tensor_split(-(-len(x) // BATCH))
        recount(network, (engine.lay_out(x[some]) for some in rows), share)


def norms_of(network: nn.Module) -> list[_BatchNorm]:
    """Every BatchNorm that has counted statistics, in the order of the modules.

    >>> len(norms_of(nn.Sequential(nn.BatchNorm1d(2), nn.LayerNorm(2))))
    1
    """
    return [m for m in network.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]


def statistics(norm: _BatchNorm) -> list[Tensor]:
    """Its mean and its variance."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return [norm.running_mean, norm.running_var]
