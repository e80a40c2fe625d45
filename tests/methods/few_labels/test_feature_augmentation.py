"""Feature augmentation."""

import numpy as np
import pytest
import torch

from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.few_labels.feature_augmentation import FeatureAugmentation, augmented
from regraft.problem import Problem


def test_is_logistic_regression_on_three_copies(few, later, scaled_columns, columns):
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = FeatureAugmentation().fit(few, columns)
    u, again = scaled_columns
    n, m = len(few.source), len(few.target_labelled)
    of_target = np.arange(n + m) >= n
    one = np.ones((n + m, 1))
    v = np.hstack([u, one])
    copies = np.hstack([v, v * ~of_target[:, None], v * of_target[:, None]])
    strength = model.provenance["strength"] / np.square(copies - copies.mean(0)).mean()
    y = np.concatenate([few.source.y, few.target_labelled.y])
    theirs = linear_model.LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(copies, y)
    seen = np.hstack([again, np.ones((len(later), 1))])
    expected = theirs.predict_proba(np.hstack([seen, 0 * seen, seen]))
    np.testing.assert_allclose(model.probabilities(later), expected, atol=1e-3)


def test_copies_are_where_the_equation_has_them():
    u = torch.arange(6.0).view(3, 2)
    made = augmented(u, torch.tensor([False, True, True]))
    assert made[0].tolist() == [0, 1, 1, 0, 1, 1, 0, 0, 0]
    assert made[2].tolist() == [4, 5, 1, 0, 0, 0, 4, 5, 1]


def test_beats_either_side_alone(few, accuracy, columns):
    ours = accuracy(FeatureAugmentation().fit(few, columns))
    alone = accuracy(LinearProbe().fit(Problem(target_labelled=few.target_labelled), columns))
    borrowed = accuracy(LinearProbe().fit(Problem(target_labelled=few.source), columns))
    assert ours > max(alone, borrowed)
