"""Where one tile lies, seen from another."""

import numpy as np
import torch

from regraft.pretexts.prediction.relative_patch import RelativePatch, beside_the_middle


def test_the_neighbours_go_around_the_middle():
    grid = np.arange(9).reshape(3, 3)
    around = [grid[1 + down, 1 + across] for down in (-1, 0, 1) for across in (-1, 0, 1) if down or across]
    pairs = beside_the_middle(torch.arange(9).expand(8, 9), torch.arange(8))
    assert pairs.tolist() == [[4, neighbour] for neighbour in around]


def test_to_know_where_parts_lie_is_to_know_the_letters(gain):
    more, made = gain(RelativePatch(epochs=0, least_steps=400, batch_size=64))
    assert more > 0.05
    assert np.mean(made.history.noted["told right"][-20:]) > 1.5 / 8
