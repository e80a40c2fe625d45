"""The entropy of what is said of the target."""

import numpy as np
import pytest

from regraft.selection.label_free import Entropy


def test_it_is_minus_the_mean_entropy(trial):
    one = trial()
    p = one.of_target.exp().numpy()
    by_hand = np.mean([sum(v * np.log(v) for v in row) for row in p])
    assert Entropy()(one) == pytest.approx(by_hand)


def test_who_is_certain_has_none(trial, sure):
    assert Entropy()(trial(of_target=sure([0] * 20, 3))) == 0
