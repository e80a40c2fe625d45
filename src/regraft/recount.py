"""BatchNorm's statistics, taken anew of given samples."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


@torch.no_grad()
def recount(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """The mean over all batches of a batch's mean and variance, in the place of what BatchNorm has counted.

    Each layer counts what it sees while the layers below it take the statistics of the batch, so batches
    should be large and alike in size. Nothing else changes, and dropout is off.

    Li et al., Adaptive batch normalization, Pattern Recognition 2018, arXiv:1603.04779, algorithm 1.

    >>> norm = nn.BatchNorm1d(1)
    >>> recount(norm, [torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0], [6.0]])])
    >>> norm.running_mean.item(), norm.running_var.item()
    (3.0, 2.0)
    """
    network.eval()
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    memories = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
        norm.train()
    for batch in batches:
        network(batch)
    for norm, memory in zip(norms, memories, strict=True):
        norm.momentum = memory
    network.eval()
