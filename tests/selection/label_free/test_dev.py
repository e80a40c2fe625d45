"""Deep embedded validation."""

import numpy as np
import pytest
import torch

from regraft.selection.label_free import DEV


def by_numpy(one):
    p, y, w = one.held_out.said.exp().numpy(), one.held_out.samples.y.numpy(), one.held_out.ratio.numpy()
    loss = -np.log(p[np.arange(len(y)), y])
    both = np.cov(np.stack([w * loss, w]))
    eta = -both[0, 1] / both[1, 1]
    return -(np.mean(w * loss) + eta * np.mean(w) - eta)


@pytest.mark.parametrize("luck", range(3))
def test_it_is_the_formula(trial, luck):
    one = trial(h=40, luck=luck)
    assert DEV()(one) == pytest.approx(by_numpy(one))


def test_with_equal_weights_it_is_the_log_likelihood(trial):
    one = trial(ratio=torch.ones(12))
    told = one.held_out.said[torch.arange(12), one.held_out.samples.y]
    assert DEV()(one) == pytest.approx(told.mean().item())


def test_the_control_variate_spares_it_the_chance_of_the_weights(trial):
    """Where the loss is nearly always the same, so should be what is made of it."""
    plain, controlled = [], []
    for luck in range(50):
        one = trial(h=30, luck=luck)
        one = trial(h=30, luck=luck, of_held_out=(0.1 * one.held_out.said).log_softmax(1))
        loss = -one.held_out.said[torch.arange(30), one.held_out.samples.y]
        plain.append(float((one.held_out.ratio * loss).mean()))
        controlled.append(DEV()(one))
    assert np.std(controlled) < 0.5 * np.std(plain)


def test_one_impossible_sample_leaves_it_finite(trial, sure):
    assert np.isfinite(DEV()(trial(of_held_out=sure([0] * 12, 3))))


def test_it_does_not_rank_methods():
    assert not DEV.ranks
