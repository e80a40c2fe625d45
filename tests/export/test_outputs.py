"""Numbers and several labels as ONNX."""

import json

import numpy as np
import pytest
import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.export import export_onnx
from regraft.export.trees import TreeTables
from regraft.methods import METHODS
from regraft.output import MultiLabel, Real
from regraft.problem import Problem


def amounts(kind):
    luck = np.random.default_rng(0)
    x = luck.normal(size=(50, 4))
    y = x[:, :2] * [1.0, 1e4] + [0.0, 1e5]
    return Domain(x, y if kind is Real else (x[:, :2] > 0).astype(float), kind(("a", "b")))


@pytest.mark.parametrize(("kind", "method"), [(Real, "RidgeProbe"), (MultiLabel, "NearestNeighbours")])
def test_the_graph_says_what_the_model_says(kind, method, tmp_path):
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name)
    data = amounts(kind)
    model = METHODS[method]().fit(Problem(target_labelled=data), vectors())
    parity = export_onnx(model, tmp_path / "m.onnx", data.unlabelled())
    assert parity.largest < 1e-4
    assert parity.numbers is (kind is Real)
    told = json.loads((tmp_path / "m.onnx.json").read_text())
    assert told["output"] == model.output.to_json()


def test_trees_of_numbers_as_tables():
    pytest.importorskip("xgboost")
    data = amounts(Real)
    head = METHODS["Boosting"](trees=12).fit(Problem(target_labelled=data), vectors()).head
    z = torch.randn(40, 4, dtype=torch.float64)
    torch.testing.assert_close(TreeTables(head)(z), head(z), rtol=1e-5, atol=1e-3)
