import numpy as np
import pytest
import torch
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    hamming_loss,
    log_loss,
)

from regraft.domain import Domain
from regraft.output import MultiLabel
from regraft.selection import scores_of


@pytest.fixture
def told():
    luck = np.random.default_rng(0)
    y = (luck.random((80, 3)) < [0.5, 0.2, 0.7]).astype(float)
    p = np.clip(0.6 * y + 0.4 * luck.random((80, 3)), 0.01, 0.99)
    p = np.where(luck.random(p.shape) < 0.2, 1 - p, p)
    return Domain(np.zeros((80, 1)), y, MultiLabel(("a", "b", "c"))), torch.from_numpy(p)


def test_agree_with_scikit_learn(told):
    labelled, p = told
    scores, y, said = scores_of(p[None], labelled), labelled.y.numpy(), (p > 0.5).numpy().astype(float)
    assert scores.value("label_accuracy") == pytest.approx(1 - hamming_loss(y, said))
    each = [balanced_accuracy_score(y[:, i], said[:, i]) for i in range(3)]
    assert scores.value("balanced_label_accuracy") == pytest.approx(np.mean(each))
    assert scores.value("f1") == pytest.approx(f1_score(y, said, average="macro"))
    assert list(scores.of_each().values()) == pytest.approx(list(f1_score(y, said, average=None)))
    precision = np.mean([average_precision_score(y[:, i], p[:, i]) for i in range(3)])
    assert scores.average_precision().value == pytest.approx(precision)
    assert scores.loss == pytest.approx(np.mean([log_loss(y[:, i], p[:, i]) for i in range(3)]))


def test_unknown_entries_count_for_nothing(told):
    labelled, p = told
    known = torch.rand(80, 3, generator=torch.Generator().manual_seed(0)) > 0.3
    known[:, 0] |= ~known.any(1)
    partly = labelled.with_(observed=known)
    scores = scores_of(p[None], partly)
    right = ((p > 0.5) == (labelled.y > 0.5)).double()
    assert scores.value("label_accuracy") == pytest.approx(float(right[known].mean()))
    nonsense = torch.where(known, p, 1 - labelled.y)
    for metric in ("label_accuracy", "balanced_label_accuracy", "f1"):
        assert scores_of(nonsense[None], partly).value(metric) == pytest.approx(scores.value(metric))
    assert scores_of(nonsense[None], partly).loss == pytest.approx(scores.loss)


def test_saying_the_same_of_all_is_half_of_the_balanced_accuracy(told):
    labelled, _ = told
    scores = scores_of(torch.tensor([0.9, 0.1, 0.9]).double().expand(1, 80, 3), labelled)
    interval = scores.interval("balanced_label_accuracy")
    assert (interval.value, interval.low, interval.high) == pytest.approx((0.5, 0.5, 0.5))
    assert scores.value("label_accuracy") > 0.5


def test_a_gain_is_the_difference(told):
    labelled, p = told
    ours, theirs = scores_of(p[None], labelled), scores_of(1 - p[None], labelled)
    for metric in ours.metrics:
        gain = ours.gain_over(theirs, metric)
        assert gain.value == pytest.approx(ours.value(metric) - theirs.value(metric))
        assert gain.low > 0


def test_a_probability_that_is_no_number_is_wrong(told):
    labelled, p = told
    broken = p.clone()
    broken[:] = torch.nan
    assert scores_of(broken[None], labelled).value("label_accuracy") == 0.0
