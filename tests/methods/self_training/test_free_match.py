"""FreeMatch."""

import numpy as np
import torch
from torch import nn

from regraft.backbones import small_mlp
from regraft.methods.self_training.free_match import FreeMatch
from regraft.trained import Network


def test_thresholds_by_numpy():
    network = Network(small_mlp(3), nn.Linear(3, 3), following={"remembered": FreeMatch().memory_of(3)})
    luck = np.random.default_rng(0)
    overall, of_class, heard = 1 / 3, np.full(3, 1 / 3), 0
    for _ in range(40):
        q = luck.dirichlet([3.0, 1.0, 0.3], size=5)
        overall = 0.99 * overall + 0.01 * q.max(1).mean()
        of_class = 0.99 * of_class + 0.01 * q.mean(0)
        least = overall * of_class / of_class.max()
        expected = [float(row.max() > least[row.argmax()]) for row in q]
        found = FreeMatch().heard(network, torch.zeros(2, 3), torch.tensor(q).float())
        assert found.weight.tolist() == expected
        heard += sum(expected)
    assert 0 < heard <= 200
    thresholds = network.following["remembered"].each()
    np.testing.assert_allclose(thresholds.numpy(), least, rtol=1e-5)
    assert thresholds[2] < thresholds[1] < thresholds[0]  # of what is seldom said, more is heard


def test_gains_where_a_column_is_noise(gain):
    recipe = FreeMatch(epochs=1, least_steps=150, batch_size=64, rate=3e-3, stage_rate=3e-3, noise=1.0)
    assert gain(recipe, "a column that is noise") > 0.1
