"""An exported file does what the model does, or is not there."""

import json

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from regraft.backbones import glyphs, module_backbone, pixels, small_mlp, table, vectors
from regraft.backbones.timm import timm_backbone
from regraft.domain import Domain
from regraft.engine import Engine
from regraft.errors import InputError
from regraft.export import export_onnx
from regraft.export.entrance import entrance_of
from regraft.methods import METHODS
from regraft.model import Model
from regraft.model_folder import load
from regraft.problem import Problem
from regraft.readers import Table


def columns(n, seed):
    rows = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    return Domain(rows, ["low" if r[0] < 0 else "mid" if r[1] < 0 else "high" for r in rows.tolist()])


def pictures(n, seed):
    generator = torch.Generator().manual_seed(seed)
    return Domain(
        torch.randint(0, 256, (n, 20, 28, 3), dtype=torch.uint8, generator=generator), ["a", "b"] * (n // 2)
    )


def cells(n, seed):
    rng = np.random.default_rng(seed)
    colours, gaps = ["red", " blue", "<i>", "", "?"], ["", "1.5", "-2", "NA", "1e3"]
    rows = [[str(rng.choice(gaps)), str(rng.choice(colours)), "7"] for _ in range(n - 1)]
    rows.append(["1.5", f"new {seed}", "7"])
    return Domain(Table(("size", "colour", "constant"), rows), ["x", "y"] * (n // 2))


def fitted(method, data, backbone, **recipe):
    return METHODS[method](**recipe).fit(Problem(target_labelled=data), backbone)


def answered(file, x):
    return onnxruntime.InferenceSession(file).run(None, {"input": x})[0]


KINDS = {
    "pictures": (pictures, glyphs, "LinearProbe", {}),
    "raw pixels": (pictures, pixels, "NearestMean", {}),
    "timm": (pictures, lambda: timm_backbone("test_resnet", pretrained=False), "RidgeProbe", {}),
    "vectors": (columns, vectors, "NearestNeighbours", {}),
    "hidden layer": (columns, vectors, "MLPHead", {}),
    "boosted trees": (columns, vectors, "Boosting", {"trees": 20}),
    "trained": (columns, lambda: small_mlp(4), "FromScratch", {"epochs": 1, "least_steps": 5}),
    "table": (cells, table, "LinearProbe", {}),
    "constant": (cells, table, "Majority", {}),
}


# each export takes seconds; pictures are always exported by the test of the script in the docs
SLOW = {"pictures", "raw pixels", "timm", "hidden layer", "trained"}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow if kind in SLOW else ()) for kind in KINDS]
)
def test_the_file_gives_what_the_model_gives(kind, tmp_path):
    sample, backbone, method, recipe = KINDS[kind]
    if method == "Boosting":
        pytest.importorskip("xgboost")
    model = fitted(method, sample(40, seed=0), backbone(), **recipe)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    parity = export_onnx(model, tmp_path / "m.onnx", sample(40, seed=0))
    assert parity.samples == 40
    assert parity.largest < 1e-5
    assert {p.name for p in tmp_path.iterdir()} == {"m.onnx", "m.onnx.json"}
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    fresh = sample(12, seed=1)
    fed, expected = entrance_of(model.backbone.preprocessing).array(fresh.x), model.probabilities(fresh)
    for batch in (slice(0, 1), slice(1, 12)):
        np.testing.assert_allclose(answered(tmp_path / "m.onnx", fed[batch]), expected[batch], atol=1e-5)


@pytest.mark.slow
@pytest.mark.data
def test_a_network_with_real_weights(shared, tmp_path):
    (weights,) = (shared / "weights_mobilenetv2_035").glob("*.safetensors")
    data = pictures(4, seed=0)
    model = fitted("LinearProbe", data, timm_backbone(weights=weights))
    assert export_onnx(model, tmp_path / "m.onnx", data).largest < 1e-5


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(the model as it was saved and loaded, its file)."""
    folder = tmp_path_factory.mktemp("exported")
    model = load(fitted("LinearProbe", cells(40, seed=0), table()).save(folder / "m"))
    export_onnx(model, folder / "m.onnx", cells(40, seed=0))
    return folder / "m", folder / "m.onnx"


def test_the_file_says_what_it_is(exported):
    folder, file = exported
    session = onnxruntime.InferenceSession(file)
    about = {k: json.loads(v) for k, v in session.get_modelmeta().custom_metadata_map.items()}
    assert about == json.loads(file.with_name("m.onnx.json").read_text(encoding="utf-8"))
    saved = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert about["labels"] == ["x", "y"]
    assert about["weights_sha256"] == saved["weights_sha256"]
    assert about["preprocessing"] == saved["preprocessing"]
    assert about["reading"] == saved["reading"]
    assert about["input"]["shape"] == ["samples", 3]
    assert about["parity"]["samples"] == 40
    assert about["parity"]["largest_difference"] < 1e-5
    (given,) = session.get_inputs()
    assert (given.name, given.type, given.shape[1:]) == ("input", "tensor(double)", [3])


def test_a_table_can_be_fed_by_its_contract_alone(exported):
    folder, file = exported
    about = json.loads(file.with_name("m.onnx.json").read_text(encoding="utf-8"))
    fresh = cells(12, seed=5)

    def number(column, cell):
        if cell.strip().lower() in about["reading"]["missing"]:
            return np.nan
        known = column["categories"]
        return (
            float(cell) if column["numeric"] else known.index(cell.strip()) if cell.strip() in known else -1
        )

    plan = about["preprocessing"]["plan"]
    fed = np.array([[number(c, cell) for c, cell in zip(plan, row, strict=True)] for row in fresh.x.rows])
    np.testing.assert_allclose(answered(file, fed), load(folder).probabilities(fresh), atol=1e-9)


class Calibrated(Model):
    def meant(self, logits):
        return self.output.expected(logits / 2.5)


def test_calibration_comes_along(tmp_path):
    plain = fitted("LinearProbe", columns(40, seed=0), vectors())
    model = Calibrated(plain.backbone, plain.head, plain.output)
    export_onnx(model, tmp_path / "m.onnx", columns(40, seed=0))
    fresh = columns(5, seed=1)
    expected = (plain.logits(fresh) / 2.5).softmax(1)
    np.testing.assert_allclose(answered(tmp_path / "m.onnx", fresh.x.double().numpy()), expected, atol=1e-9)


class Unlike(nn.Module):
    """Does otherwise where nobody who trains would see it."""

    def forward(self, x):
        return -x if torch.compiler.is_exporting() else x


def test_a_file_that_differs_is_refused_by_the_names_of_the_samples(tmp_path):
    data = columns(40, seed=0)
    model = fitted("LinearProbe", data, module_backbone(Unlike()))
    (tmp_path / "m.onnx").write_text("precious")
    with pytest.raises(
        InputError, match=r"differs from the model on \d+ of 40 samples: 0 \((low|mid|high) 0"
    ) as told:
        export_onnx(model, tmp_path / "m.onnx", data)
    assert "nothing was written" in str(told.value)
    assert "\n" not in str(told.value)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"m.onnx": b"precious"}


class Untraceable(nn.Module):
    def forward(self, x):
        return torch.from_numpy(np.sort(x.detach().numpy(), axis=1))


def test_a_network_that_no_graph_can_hold_gets_one_line(tmp_path):
    data = columns(20, seed=0)
    model = fitted("LinearProbe", data, module_backbone(Untraceable()))
    with pytest.raises(InputError, match="torch cannot export this network") as told:
        export_onnx(model, tmp_path / "m.onnx", data)
    assert "\n" not in str(told.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "told"),
    [("m.pb", "does not end in .onnx"), ("folder.onnx", "is a folder"), ("nowhere/m.onnx", "does not exist")],
)
def test_where_no_file_can_be_written_is_said_at_once(tmp_path, name, told):
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(InputError, match=told):
        export_onnx(fitted("Majority", columns(20, seed=0), vectors()), tmp_path / name, columns(20, seed=0))


def test_what_cannot_be_checked_is_not_exported(tmp_path):
    model = fitted("LinearProbe", columns(20, seed=0), vectors())
    with pytest.raises(InputError, match="no samples to check"):
        export_onnx(model, tmp_path / "m.onnx", columns(20, seed=0)[:0])
    with pytest.raises(InputError, match="2 columns, and the model was fitted with 4"):
        export_onnx(model, tmp_path / "m.onnx", [[0.0, 0.0]])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch, package):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    data = columns(20, seed=0)
    with pytest.raises(InputError, match=rf"needs {package}: pip install 'regraft\[export\]'"):
        export_onnx(fitted("Majority", data, vectors()), tmp_path / "m.onnx", data)


def test_another_precision_is_said(tmp_path):
    data = columns(20, seed=0)
    model = fitted("Majority", data, vectors())
    model.engine = Engine("cpu", "bfloat16")
    with pytest.warns(UserWarning, match="computes in bfloat16 and the exported file in float32"):
        export_onnx(model, tmp_path / "m.onnx", data)
    assert model.engine.precision == "bfloat16"
