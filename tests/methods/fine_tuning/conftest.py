import pytest
import torch


@pytest.fixture
def spoiled(network):
    """The network with a top that lets one unit of eight through: poor for a probe until it is changed."""
    copy = network.copied()
    with torch.no_grad():
        copy.stages[2].weight.mul_(torch.tensor([1.0] + [0.0] * 7)[:, None])
    return copy
