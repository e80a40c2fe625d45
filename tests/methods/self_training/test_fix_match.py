"""FixMatch."""

import torch

from regraft.methods.self_training.fix_match import FixMatch


def test_what_is_sure_enough_counts_whatever_the_source_says():
    q = torch.tensor([[0.96, 0.04], [0.94, 0.06], [0.05, 0.95]])
    for says in (torch.tensor([[0.5, 0.5]]), torch.tensor([[1.0, 0.0]])):
        heard = FixMatch().heard(None, says, q)
        assert torch.equal(heard.q, q)
        assert heard.weight.tolist() == [1.0, 0.0, 1.0]


def test_gains_where_a_column_is_noise(gain):
    recipe = FixMatch(epochs=1, least_steps=150, batch_size=64, rate=3e-3, stage_rate=3e-3, noise=1.0)
    assert gain(recipe, "a column that is noise") > 0.1
