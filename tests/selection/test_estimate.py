"""The score of what was picked, against all resamples of a few samples written out."""

import itertools

import numpy as np
import pytest
import torch

from regraft.selection.estimate import bias_corrected
from regraft.selection.scores import Scores


def scores(right, y=None, group=None) -> Scores:
    right = torch.as_tensor(right, dtype=torch.float64)
    y = torch.arange(right.shape[1]) % 2 if y is None else torch.as_tensor(y)
    return Scores(right, y, group, y, 0.5, ("a", "b"))


def best(rows) -> int:
    return int(np.argmax([row.value("accuracy") for row in rows]))


def test_it_is_the_mean_over_all_resamples(monkeypatch):
    """Four samples can be drawn in 256 ways, of which 24 leave nothing out."""
    rights = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0.5, 0, 1, 1]])
    outside = []
    for drawn in itertools.product(range(4), repeat=4):
        out = sorted(set(range(4)) - set(drawn))
        if out:
            picked = int(np.argmax([right[list(drawn)].mean() for right in rights]))
            outside.append(rights[picked][out].mean())
    monkeypatch.setattr("regraft.selection.estimate.RESAMPLES", 5000)
    found = bias_corrected([scores(right[None]) for right in rights], "accuracy", best)
    assert found.value == pytest.approx(np.mean(outside), abs=0.01)


def test_a_row_that_had_no_rival_keeps_its_score():
    right = (torch.arange(60) % 4 > 0).double()[None]
    found = bias_corrected([scores(right)], "accuracy", best)
    assert found == scores(right).interval("accuracy")


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy"])
def test_the_best_of_many_that_guess_is_no_better_than_guessing(metric):
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(10):
        rows = [scores((torch.rand(1, 40, generator=generator) < 0.5).double()) for _ in range(30)]
        assert rows[best(rows)].value("accuracy") > 0.6
        found.append(bias_corrected(rows, metric, best).value)
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)


def test_groups_are_drawn_whole():
    group = torch.arange(12) // 3
    right = torch.zeros(1, 12)
    drawn = []

    def pick(rows) -> int:
        drawn.append(torch.bincount(rows[0].group, minlength=4))
        return 0

    bias_corrected([scores(right, group=group)], "accuracy", pick)
    assert all(counts.tolist() == [3, 3, 3, 3] for counts in drawn)  # drawn twice, it is two groups


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy"])
def test_groups_of_one_are_no_groups(metric):
    generator = torch.Generator().manual_seed(1)
    rights = [(torch.rand(1, 40, generator=generator) < p).double() for p in (0.6, 0.8)]

    def proven(rows) -> int:
        return int(rows[1].gain_over(rows[0], metric).low > 0)

    none, own = (
        bias_corrected([scores(right, group=group) for right in rights], metric, proven)
        for group in (None, torch.arange(40))
    )
    assert own == none


def test_same_seed_same_number():
    rows = [scores((torch.rand(3, 20) < 0.7).double()) for _ in range(4)]
    a, b, c = (bias_corrected(rows, "accuracy", best, seed) for seed in (0, 0, 1))
    assert a == b
    assert a.value != c.value
