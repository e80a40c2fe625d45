"""TrAdaBoost."""

import math

import numpy as np
import pytest
import torch

from regraft.methods.baselines.joint import Joint
from regraft.methods.few_labels.tradaboost import TrAdaBoost, odds_of_error
from regraft.problem import Problem


@pytest.fixture
def half_wrong(few):
    """A source half of which names the classes in another order."""
    y = few.source.y.clone()
    y[:150] = (y[:150] + 1) % 3
    return Problem(source=few.source.with_(y=y), target_labelled=few.target_labelled)


def test_is_algorithm_1(half_wrong, later, scaled_columns, columns):
    linear_model = pytest.importorskip("sklearn.linear_model")
    rounds = 6
    ours = TrAdaBoost(rounds=rounds).fit(half_wrong, columns)
    u, again = scaled_columns
    n, m = len(half_wrong.source), len(half_wrong.target_labelled)
    y = np.concatenate([half_wrong.source.y, half_wrong.target_labelled.y])
    strength = ours.provenance["strength"]
    weight = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
    beta = 1 / (1 + math.sqrt(2 * math.log(n) / rounds))
    votes = np.zeros((len(later), 3))
    for t in range(1, rounds + 1):
        p = weight / weight.sum() * (n + m)
        learner = linear_model.LogisticRegression(C=strength, tol=1e-8, max_iter=5000)
        wrong = learner.fit(u, y, sample_weight=p).predict(u) != y
        error = (weight * wrong)[n:].sum() / weight[n:].sum()
        error = min(max(error, 1 / (2 * m + 2)), 0.499)
        beta_t = error / (1 - error)
        weight[:n] *= beta ** wrong[:n]
        weight[n:] *= beta_t ** -(wrong[n:].astype(float))
        if t >= math.ceil(rounds / 2):
            votes[np.arange(len(later)), learner.predict(again)] += math.log(1 / beta_t)
    share = votes / votes.sum(1, keepdims=True)
    told = (ours.logits(later).exp() - 0.5 / 4).numpy()  # rounds 3 to 6 vote
    assert (np.abs(told - share).max(1) < 1e-3).mean() > 0.99  # but where two classes are equally likely


def test_an_error_is_kept_inside_of_what_the_algorithm_needs():
    weight = torch.tensor([1.0, 3.0])
    assert odds_of_error(weight, torch.tensor([True, False])) == pytest.approx(1 / 3)
    assert odds_of_error(weight, torch.tensor([False, False])) == pytest.approx(1 / 5)
    assert odds_of_error(weight, torch.tensor([False, True])) == pytest.approx(0.499 / 0.501)


def test_what_contradicts_the_target_loses_its_weight(half_wrong, accuracy, columns):
    boosted = TrAdaBoost().fit(half_wrong, columns)
    pooled = Joint(alpha=0.5).fit(half_wrong, columns)
    assert accuracy(boosted) > accuracy(pooled)
    assert boosted.provenance["weight_of_source"] < 0.5
