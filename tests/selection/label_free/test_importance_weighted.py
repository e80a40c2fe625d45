"""Importance-weighted accuracy."""

import pytest
import torch

from regraft.selection.label_free import ImportanceWeighted, SourceAccuracy


def test_it_is_the_weighted_share_that_is_right(trial):
    one = trial(h=25)
    total = right = 0.0
    for p, y, w in zip(
        one.held_out.said.tolist(), one.held_out.samples.y.tolist(), one.held_out.ratio.tolist(), strict=True
    ):
        total += w
        right += w * (max(range(3), key=p.__getitem__) == y)
    assert ImportanceWeighted()(one) == pytest.approx(right / total)


def test_of_equal_weights_it_is_the_accuracy(trial):
    one = trial(ratio=torch.full((12,), 3.0))
    assert ImportanceWeighted()(one) == pytest.approx(SourceAccuracy()(one))


def test_under_covariate_shift_it_tells_the_accuracy_of_the_target(trial, sure):
    """A source on [0, 1], a target of density 2x: who errs below 0.3 errs in 30 % and in 9 %."""
    x = (torch.arange(1000) + 0.5) / 1000
    y = torch.arange(1000) % 3
    said = torch.where(x < 0.3, (y + 1) % 3, y)
    one = trial(h=1000, of_held_out=sure(said, 3), ratio=2 * x)
    assert SourceAccuracy()(one) == pytest.approx(0.7)
    assert ImportanceWeighted()(one) == pytest.approx(0.91, abs=1e-6)
