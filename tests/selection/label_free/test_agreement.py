"""Agreement with rivals."""

import numpy as np
import pytest

from regraft.selection.label_free import Agreement


def test_it_is_the_mean_share_told_alike(trial):
    one, *others = (trial(luck=luck).of_target for luck in range(4))
    by_hand = [
        np.mean([int(a.argmax()) == int(b.argmax()) for a, b in zip(one, other, strict=True)])
        for other in others
    ]
    assert Agreement()(trial(of_target=one, others=others)) == pytest.approx(np.mean(by_hand))


def test_alone_it_says_nothing(trial):
    assert np.isnan(Agreement()(trial()))


def test_of_who_errs_independently_the_best_agrees_most(trial, sure):
    luck = np.random.default_rng(0)
    y = luck.integers(4, size=2000)
    said = [np.where(luck.random(2000) < right, y, luck.integers(4, size=2000)) for right in (0.9, 0.6, 0.3)]
    told = [sure(labels, 4) for labels in said]
    scores = [
        Agreement()(trial(of_target=told[i], others=told[:i] + told[i + 1 :])) for i in range(len(told))
    ]
    assert scores == sorted(scores, reverse=True)
