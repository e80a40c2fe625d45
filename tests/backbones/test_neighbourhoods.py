"""Raw colours around a place, against a loop over pixels."""

import torch

from regraft.backbones import levels_of, neighbourhoods, rebuild
from regraft.heads.levels import unpacked


def test_levels_are_mean_colours_of_three_by_three_neighbours():
    made = neighbourhoods(16)
    picture = torch.randint(0, 256, (1, 16, 16, 3), dtype=torch.uint8)
    fine, half, *_ = unpacked(made.features(picture), levels_of(made))
    colours = picture[0].permute(2, 0, 1).float() / 127.5 - 1
    for row, column in ((0, 0), (3, 7), (15, 15)):
        for channel in range(3):
            for down in (-1, 0, 1):
                for across in (-1, 0, 1):
                    r, c = min(max(row + down, 0), 15), min(max(column + across, 0), 15)
                    there = fine[0, channel * 9 + (down + 1) * 3 + across + 1, row, column]
                    torch.testing.assert_close(there, colours[channel, r, c])
    torch.testing.assert_close(half[0, 4, 2, 3], colours[0, 4:6, 6:8].mean())


def test_it_learns_nothing_and_is_rebuilt():
    made = neighbourhoods(16)
    assert not made.pretrained
    assert not list(made.parameters())
    again = rebuild(made.spec)
    assert (again.spec, again.fingerprint()) == (made.spec, made.fingerprint())
