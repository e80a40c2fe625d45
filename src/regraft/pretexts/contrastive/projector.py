"""What features go through before views are compared."""

from torch import nn


def projector(features: int, width: int, out: int) -> nn.Sequential:
    """Two layers with BatchNorm between them: what the comparison throws away is thrown away here, not in φ.

    >>> import torch
    >>> projector(8, 16, 4)(torch.zeros(3, 8)).shape
    torch.Size([3, 4])
    """
    return nn.Sequential(
        nn.Linear(features, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, out)
    )
