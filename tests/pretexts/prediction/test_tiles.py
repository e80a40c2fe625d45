"""Pictures cut into tiles."""

import pytest
import torch

from regraft.backbones import lenet, small_convnet
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.pretexts.prediction.jigsaw import Jigsaw
from regraft.pretexts.prediction.tiles import Siamese, tiles


def test_every_tile_is_a_piece_of_its_cell():
    torch.manual_seed(0)
    down, across = torch.meshgrid(torch.arange(20), torch.arange(31), indexing="ij")
    x = torch.stack([down, across]).to(torch.uint8).expand(50, 2, 20, 31)
    cut = tiles(x, 3, 0.3).long()
    assert cut.shape == (50, 9, 2, 4, 7)
    for t in range(9):
        row, column = divmod(t, 3)
        rows, columns = cut[:, t, 0], cut[:, t, 1]
        assert (rows[:, 1:] - rows[:, :-1] == 1).all()
        assert (columns[:, :, 1:] - columns[:, :, :-1] == 1).all()
        assert (rows // 6 == row).all()
        assert (columns // 10 == column).all()
        assert len(columns[:, 0, 0].unique()) == 4  # all the places there are


def test_a_network_of_one_size_sees_tiles_of_that_size():
    x = torch.zeros(2, 3, 28, 28, dtype=torch.uint8)
    cut = tiles(x, 2, 0.15)
    as_they_are = Siamese.of(small_convnet((28, 28), width=2), cut, x, width=8, out=3)
    scaled = Siamese.of(lenet((28, 28), "rgb"), cut, x, width=8, out=3)
    assert as_they_are.size == (12, 12)
    assert scaled.size == (28, 28)


def test_too_small_a_picture_is_refused():
    pool = Domain(torch.zeros(9, 8, 8, dtype=torch.uint8))
    with pytest.raises(InputError, match="cannot be cut into 5×5 tiles"):
        Jigsaw(grid=5).pretrain(pool, small_convnet((8, 8), "grey", width=2))
