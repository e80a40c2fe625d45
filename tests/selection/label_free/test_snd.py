"""Soft neighbourhood density."""

import numpy as np
import pytest

from regraft.selection.label_free import SND
from regraft.selection.label_free import snd as module


def by_numpy(p, temperature=0.05):
    f = p / np.linalg.norm(p, axis=1, keepdims=True)
    entropies = []
    for i in range(len(f)):
        s = np.array([f[i] @ f[j] / temperature for j in range(len(f)) if j != i])
        q = np.exp(s - s.max())
        q /= q.sum()
        entropies.append(-(q * np.log(q)).sum())
    return np.mean(entropies)


def test_it_is_the_formula(trial):
    one = trial(m=23)
    assert SND()(one) == pytest.approx(by_numpy(one.of_target.exp().numpy()))


def test_blocks_change_nothing(trial, monkeypatch):
    one = trial(m=23)
    whole = SND()(one)
    monkeypatch.setattr(module, "AT_ONCE", 7)
    assert SND()(one) == pytest.approx(whole)


def test_of_many_samples_some_are_drawn(trial):
    one = trial(m=50)
    rows = one.some(30)
    assert len(rows.unique()) == 30
    assert SND(most=30)(one) == pytest.approx(by_numpy(one.of_target[rows].exp().numpy()))


def test_it_prefers_a_collapse_and_so_does_not_rank_methods(trial, sure):
    well, collapsed = (SND()(trial(of_target=sure(said, 4))) for said in ([0, 1, 2, 3] * 5, [1] * 20))
    assert well == pytest.approx(np.log(4), abs=1e-4)
    assert collapsed == pytest.approx(np.log(19))
    assert not SND.ranks
