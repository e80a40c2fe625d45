"""Which way up."""

import numpy as np
import torch

from regraft.pretexts.prediction.rotation import Rotation, turned


def test_turns_are_numpys():
    luck = torch.Generator().manual_seed(0)
    x = torch.randint(256, (8, 3, 6, 6), dtype=torch.uint8, generator=luck)
    k = torch.tensor([0, 1, 2, 3] * 2)
    for one, turns, out in zip(x, k.tolist(), turned(x, k), strict=True):
        assert np.array_equal(np.rot90(one.numpy(), turns, (1, 2)), out.numpy())


def test_to_tell_the_way_up_is_to_know_the_letters(gain):
    more, made = gain(Rotation(epochs=0, least_steps=150, batch_size=64))
    assert more > 0.2
    assert np.mean(made.history.noted["told right"][-20:]) > 0.6
