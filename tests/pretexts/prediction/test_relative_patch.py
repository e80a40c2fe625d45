"""Where one tile lies, seen from another."""

import numpy as np
import pytest

from regraft.pretexts.prediction.relative_patch import AROUND, RelativePatch, touching


@pytest.mark.parametrize("grid", [2, 3])
def test_the_directions_are_those_between_tiles(grid):
    pairs = touching(grid).numpy()
    one, other = (np.stack(np.unravel_index(pairs[:, i], (grid, grid)), 1) for i in (0, 1))
    assert (np.array(AROUND)[pairs[:, 2]] == other - one).all()
    ways = [abs(a - b) for a in range(grid) for b in range(grid)]
    near = sum(way <= 1 for way in ways)
    assert len(pairs) == near**2 - grid**2 == len({tuple(pair) for pair in pairs.tolist()})


def test_to_know_where_parts_lie_is_to_know_the_letters(gain):
    more, made = gain(RelativePatch(grid=3, epochs=0, least_steps=200, batch_size=64))
    assert more > 0.05
    assert np.mean(made.history.noted["told right"][-20:]) > 1.2 / 8


def test_where_parts_lie_can_be_told(gain, clear):
    """Quarters of letters on hardly any noise."""
    pool, labelled = clear
    _, made = gain(RelativePatch(epochs=0, least_steps=150, batch_size=64), labelled=labelled, pool=pool)
    assert np.mean(made.history.noted["told right"][-20:]) > 3 / 8
