"""The score of what was picked, against all resamples of a few samples written out."""

import itertools

import numpy as np
import pytest
import torch

from regraft.selection.estimate import bias_corrected
from regraft.selection.scores import ClassScores


def scores(right, y=None, group=None) -> ClassScores:
    right = torch.as_tensor(right, dtype=torch.float64)
    y = torch.arange(right.shape[1]) % 2 if y is None else torch.as_tensor(y)
    return ClassScores(right, y, group, y, 0.5, ("a", "b"))


def test_it_is_the_mean_over_all_resamples(monkeypatch):
    """Four samples can be drawn in 256 ways, of which 24 leave nothing out."""
    rights = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0.5, 0, 1, 1]])
    outside = []
    for drawn in itertools.product(range(4), repeat=4):
        out = sorted(set(range(4)) - set(drawn))
        if out:
            picked = int(np.argmax([right[list(drawn)].mean() for right in rights]))
            outside.append(rights[picked][out].mean())
    monkeypatch.setattr("regraft.selection.resampling.RESAMPLES", 5000)
    found = bias_corrected([scores(right[None]) for right in rights], "accuracy")
    assert found.value == pytest.approx(np.mean(outside), abs=0.01)


def test_a_row_that_had_no_rival_keeps_its_score():
    right = (torch.arange(60) % 4 > 0).double()[None]
    found = bias_corrected([scores(right)], "accuracy")
    assert found == scores(right).interval("accuracy")


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy"])
def test_the_best_of_many_that_guess_is_no_better_than_guessing(metric):
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(10):
        rows = [scores((torch.rand(1, 40, generator=generator) < 0.5).double()) for _ in range(30)]
        assert max(row.value("accuracy") for row in rows) > 0.6
        found.append(bias_corrected(rows, metric).value)
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)


def test_groups_are_drawn_whole():
    """Of two groups a resample leaves one out or none: what is picked is the better half."""
    group = torch.arange(12) // 6
    halves = [(group == g).double()[None] for g in (0, 1)]
    found = bias_corrected([scores(half, group=group) for half in halves], "accuracy")
    assert found.value == 0  # what is perfect on the half that was drawn is wrong on the other


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy"])
def test_groups_of_one_are_no_groups(metric):
    generator = torch.Generator().manual_seed(1)
    rights = [(torch.rand(1, 40, generator=generator) < p).double() for p in (0.6, 0.8)]
    none, own = (
        bias_corrected([scores(right, group=group) for right in rights], metric)
        for group in (None, torch.arange(40))
    )
    assert own == none


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy"])
def test_it_picks_as_if_every_resample_were_scored_by_itself(metric, monkeypatch):
    generator = torch.Generator().manual_seed(2)
    y = torch.randint(0, 3, (30,), generator=generator)
    rows = [scores((torch.rand(2, 30, generator=generator) < 0.7).double(), y) for _ in range(4)]
    monkeypatch.setattr("regraft.selection.resampling.RESAMPLES", 50)

    def score(row, drawn):
        return scores(row.right[:, drawn], y[drawn]).value(metric)

    random, moved = np.random.default_rng(0), []
    kept = max(rows, key=lambda row: row.value(metric))
    for drawn in random.integers(30, size=(50, 30)):
        out = np.setdiff1d(np.arange(30), drawn)
        picked = max(rows, key=lambda row: round(score(row, drawn), 9))
        moved.append(score(picked, out) - score(kept, out))
    assert bias_corrected(rows, metric).value == pytest.approx(kept.value(metric) + np.mean(moved))


def test_same_seed_same_number():
    rows = [scores((torch.rand(3, 20) < 0.7).double()) for _ in range(4)]
    a, b, c = (bias_corrected(rows, "accuracy", seed) for seed in (0, 0, 1))
    assert a == b
    assert a.value != c.value
