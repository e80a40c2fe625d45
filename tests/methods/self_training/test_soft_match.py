"""SoftMatch."""

import numpy as np
import pytest
import torch
from torch import nn

from regraft.backbones import small_mlp
from regraft.methods.self_training.soft_match import SoftMatch
from regraft.trained import Network


@pytest.mark.parametrize("align", [False, True])
def test_weights_by_numpy(align):
    recipe = SoftMatch(align=align)
    network = Network(small_mlp(3), nn.Linear(3, 3), following={"remembered": recipe.memory_of(3)})
    luck = np.random.default_rng(0)
    mean, variance, of_class, least = 1 / 3, 1.0, np.full(3, 1 / 3), 1.0
    for _ in range(60):
        q = luck.dirichlet([3.0, 1.0, 0.3], size=6)
        of_class = 0.99 * of_class + 0.01 * q.mean(0)
        even = q / of_class
        even = even / even.sum(1, keepdims=True)
        confidence = (even if align else q).max(1)
        mean = 0.99 * mean + 0.01 * confidence.mean()
        variance = 0.99 * variance + 0.01 * confidence.var(ddof=1)
        expected = np.exp(-(np.minimum(0, confidence - mean) ** 2) / (2 * variance))
        found = recipe.heard(network, torch.zeros(2, 3), torch.tensor(q).float())
        np.testing.assert_allclose(found.weight.numpy(), expected, rtol=1e-4)
        least = min(least, expected.min())
        torch.testing.assert_close(found.q, torch.tensor(q).float())  # labels are those that were said
    assert least < 1


def test_gains_where_a_column_is_noise(gain):
    recipe = SoftMatch(epochs=1, least_steps=150, batch_size=64, rate=3e-3, stage_rate=3e-3, noise=1.0)
    assert gain(recipe, "a column that is noise") > 0.1
