"""Trees by look-up are the trees of their library."""

import json

import pytest
import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.export.trees import TreeTables
from regraft.methods import METHODS
from regraft.output import Classes
from regraft.problem import Problem

pytest.importorskip("xgboost")


@pytest.fixture(params=[("a", "b"), ("a", "b", "c"), ("a", "unseen", "b")])
def trees(request):
    x = torch.randn(90, 3, dtype=torch.float64)
    shown = [name for name in request.param if name != "unseen"]
    y = [shown[int(v * 10) % len(shown)] for v in x[:, 0].abs().tolist()]
    data = Domain(x, y, Classes(request.param))
    return METHODS["Boosting"](trees=15, depth=5).fit(Problem(target_labelled=data), vectors()).head


def test_they_score_alike(trees):
    z = torch.randn(500, 3, dtype=torch.float64)
    torch.testing.assert_close(TreeTables(trees)(z), trees(z), atol=1e-5, rtol=0)


def test_on_a_threshold_they_go_the_same_way(trees):
    tables = TreeTables(trees)
    model = json.loads(trees.json.numpy().tobytes())["learner"]["gradient_booster"]["model"]
    splits = [
        (f, t)
        for tree in model["trees"]
        for f, t, child in zip(
            tree["split_indices"], tree["split_conditions"], tree["left_children"], strict=True
        )
        if child >= 0
    ]
    z = torch.zeros(len(splits), 3, dtype=torch.float64)
    for row, (feature, threshold) in enumerate(splits):
        z[row, feature] = torch.tensor(threshold, dtype=torch.float32).double()
    torch.testing.assert_close(tables(z), trees(z), atol=1e-5, rtol=0)
