import pytest
import torch
from sklearn.ensemble import GradientBoostingClassifier

from regraft.backbones import vectors
from regraft.methods.baselines.boosting import Boosting
from regraft.methods.features.linear_probe import LinearProbe
from regraft.problem import Problem
from regraft.selection import evaluate

xgboost = pytest.importorskip("xgboost")


def test_bends_where_a_line_cannot(fresh):
    train = Problem(target_labelled=fresh[:200])
    held_out = fresh[200:]
    ours = evaluate(Boosting().fit(train, vectors()), held_out).value("accuracy")
    line = evaluate(LinearProbe().fit(train, vectors()), held_out).value("accuracy")
    assert ours > line + 0.2


def test_agrees_with_another_implementation(fresh):
    train, held_out = fresh[:200], fresh[200:]
    ours = Boosting().fit(Problem(target_labelled=train), vectors())
    theirs = GradientBoostingClassifier(max_depth=4, random_state=0).fit(train.x.numpy(), train.y.numpy())
    same = ours.logits(held_out).argmax(1) == torch.from_numpy(theirs.predict(held_out.x.numpy()))
    assert same.float().mean() > 0.9


def test_one_round_is_the_newton_step():
    """With one tree, rate 1 and a clean split, the leaf weight is −Σg / (Σh + λ) of the softmax loss."""
    x = torch.tensor([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]])
    from regraft.domain import Domain

    data = Domain(x, ["a"] * 3 + ["b"] * 3)
    model = Boosting(trees=1, depth=1, rate=1.0, leaf_weight=1.0).fit(
        Problem(target_labelled=data), vectors()
    )
    scores = model.logits([[0.0]])[0]
    # xgboost's softmax: p = 1/2, g = p − y, h = 2 p (1 − p); three samples in the leaf
    expected = 3 * 0.5 / (3 * 2 * 0.25 + 1)
    assert (scores[0] - scores[1]).item() == pytest.approx(2 * expected, abs=1e-5)
