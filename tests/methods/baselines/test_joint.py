"""The α-weighted risk of source and target."""

import numpy as np
import pytest
import torch

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods.baselines.joint import Joint, shared
from regraft.methods.features.linear_probe import LinearProbe
from regraft.problem import Problem


@pytest.mark.parametrize(("alpha", "role"), [(0.0, "source"), (1.0, "target_labelled")])
def test_at_the_ends_it_is_the_probe_of_one_side(few, later, alpha, role, columns):
    alone = LinearProbe().fit(Problem(target_labelled=few.domains[role]), columns)
    joint = Joint(alpha=alpha).fit(few, columns)
    torch.testing.assert_close(joint.logits(later), alone.logits(later), atol=2e-3, rtol=0)


def test_is_the_weighted_risk(few, later, scaled_columns, columns):
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = Joint(alpha=0.3).fit(few, columns)
    u, again = scaled_columns
    n, m = len(few.source), len(few.target_labelled)
    worth = 1 / (0.7**2 / n + 0.3**2 / m)
    weight = worth * np.concatenate([np.full(n, 0.7 / n), np.full(m, 0.3 / m)])
    y = np.concatenate([few.source.y, few.target_labelled.y])
    theirs = linear_model.LogisticRegression(C=model.provenance["strength"], tol=1e-10, max_iter=5000)
    expected = theirs.fit(u, y, sample_weight=weight).predict_proba(again)
    np.testing.assert_allclose(model.probabilities(later), expected, atol=1e-3)


def test_weights_are_worth_their_sum_in_equal_samples():
    of_target = torch.arange(50) >= 40
    for alpha in (0.0, 0.2, 0.7, 1.0):
        w = shared(alpha, of_target, 40, 10)
        assert w[of_target].sum() / w.sum() == pytest.approx(alpha)
        assert w.sum() == pytest.approx(float(w.sum() ** 2 / w.square().sum()))


def test_beats_either_side_alone(few, accuracy, columns):
    alone, half, other = (accuracy(Joint(alpha=alpha).fit(few, columns)) for alpha in (0.0, 0.5, 1.0))
    assert half > max(alone, other)


def test_the_share_is_one_that_is_tried(few, columns):
    assert Joint().fit(few, columns).provenance["alpha"] in {12 / 312, 0.25, 0.5, 0.75, 1.0}
    one = Problem(source=few.source, target_labelled=few.target_labelled[:3])
    assert Joint().fit(one, columns).provenance["alpha"] == 0.5  # nothing can be held out


def test_a_source_that_contradicts_the_target_is_left_alone(few, columns):
    other = few.source.with_(y=(few.source.y + 1) % 3)
    model = Joint().fit(Problem(source=other, target_labelled=few.source[:60]), columns)
    assert model.provenance["alpha"] == 1.0


def test_says_what_cannot_be(few, columns):
    with pytest.raises(InputError, match=r"alpha is 1\.5"):
        Joint(alpha=1.5).fit(few, columns)
    strange = Domain(few.source.x, ["x", "y", "z"] * 100)
    with pytest.raises(InputError, match=r"samples of x, y, z, and the target of a, b, c"):
        Joint().fit(Problem(source=strange, target_labelled=few.target_labelled), columns)
