"""A target that is a part of the source."""

import pytest
import torch

from regraft.domain import Domain


@pytest.fixture
def parabola():
    """A border that is bent, and a target that sees a piece of it which is nearly straight."""
    luck = torch.Generator().manual_seed(50)

    def labelled(x):
        return Domain(x, ["above" if v else "below" for v in x[:, 1] > x[:, 0].square() - 1])

    everywhere = 4 * torch.rand(400, 2, generator=luck) - 2
    piece = 0.4 * torch.randn(300, 2, generator=luck) + torch.tensor([1.0, 0.0])
    return labelled(everywhere), labelled(piece)
