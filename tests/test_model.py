import json
import os
import pickle

import pytest
import torch

from regraft.backbones import small_mlp, vectors
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods import METHODS
from regraft.model import DESCRIPTION, WEIGHTS, load
from regraft.problem import Problem


@pytest.fixture
def data():
    return Domain(torch.randn(20, 3), ["<b>owl</b>", "cröw"] * 10)


@pytest.fixture
def model(data):
    return METHODS["LinearProbe"]().fit(Problem(target_labelled=data), vectors())


def test_the_folder_holds_json_and_safetensors_alone(model, tmp_path):
    model.save(tmp_path / "birds", {"study.json": "{}"})
    assert {p.name for p in (tmp_path / "birds").iterdir()} == {DESCRIPTION, WEIGHTS, "study.json"}
    assert {p.name for p in tmp_path.iterdir()} == {"birds"}
    assert json.loads((tmp_path / "birds" / DESCRIPTION).read_text())["format"] == 1


def test_saving_again_replaces(model, data, tmp_path):
    model.save(tmp_path / "birds")
    other = METHODS["Majority"]().fit(Problem(target_labelled=data), vectors())
    other.save(tmp_path / "birds")
    assert load(tmp_path / "birds").provenance["method"] == "Majority"
    assert {p.name for p in tmp_path.iterdir()} == {"birds"}


def test_other_folders_are_not_touched(model, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "owl.jpg").write_bytes(b"precious")
    with pytest.raises(InputError, match="is no Regraft model"):
        model.save(tmp_path / "photos")
    assert (tmp_path / "photos" / "owl.jpg").read_bytes() == b"precious"


def test_a_failed_save_leaves_the_old_model_and_nothing_else(model, tmp_path, monkeypatch):
    model.save(tmp_path / "birds")
    before = (tmp_path / "birds" / WEIGHTS).read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        model.save(tmp_path / "birds")
    monkeypatch.undo()
    assert {p.name for p in tmp_path.iterdir()} == {"birds"}
    assert (tmp_path / "birds" / WEIGHTS).read_bytes() == before


def changed(folder, **values):
    saved = json.loads((folder / DESCRIPTION).read_text())
    saved.update(values)
    (folder / DESCRIPTION).write_text(json.dumps(saved))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda f: changed(f, format=2), "upgrade regraft"),
        (lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes()[:-1] + b"x"), "checksum"),
        (lambda f: (f / WEIGHTS).unlink(), "cannot be read"),
        (lambda f: (f / DESCRIPTION).write_text("{"), "cannot be read"),
        (lambda f: (f / DESCRIPTION).write_text("[" * 100_000), "cannot be read"),
        (lambda f: (f / DESCRIPTION).unlink(), "is no model folder"),
        (lambda f: changed(f, head={"kind": "os.system"}), "unknown"),
        (
            lambda f: changed(f, head={"kind": "linear", "features": 9, "classes": 2}),
            "does not describe a model",
        ),
        (lambda f: changed(f, backbone={}), "does not describe a model"),
        (lambda f: changed(f, preprocessing={"kind": "builtins.eval"}), "unknown"),
        (
            lambda f: changed(
                f, backbone={"name": "", "licence": "", "source": "", "spec": {"loader": "os.system"}}
            ),
            "unknown",
        ),
    ],
)
def test_damaged_and_hostile_folders_get_one_line(model, tmp_path, damage, told):
    folder = model.save(tmp_path / "birds")
    damage(folder)
    with pytest.raises(InputError, match=told) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_a_pickle_is_not_opened(model, tmp_path):
    folder = model.save(tmp_path / "birds")
    canary = tmp_path / "canary"

    class Bomb:
        def __reduce__(self):
            return (os.system, (f"touch {canary}",))

    content = pickle.dumps(Bomb())
    (folder / WEIGHTS).write_bytes(content)
    import hashlib

    changed(folder, weights_sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(InputError, match="does not describe a model"):
        load(folder)
    assert not canary.exists()


def test_a_network_of_the_users_own_is_handed_in_again(network, problem, tmp_path):
    model = METHODS["LinearProbe"]().fit(problem, network)
    model.save(tmp_path / "rings")
    with pytest.raises(InputError, match="backbone=module"):
        load(tmp_path / "rings")
    again = load(tmp_path / "rings", backbone=network)
    assert again.predict(problem.target_labelled) == model.predict(problem.target_labelled)


def test_a_saved_model_is_a_backbone_again(problem, tmp_path):
    first = METHODS["FromScratch"](least_steps=5).fit(problem, small_mlp(20))
    first.save(tmp_path / "rings")
    from regraft.backbones import open_backbone

    phi = open_backbone(tmp_path / "rings")
    assert phi.pretrained
    again = METHODS["LinearProbe"]().fit(problem, phi)
    again.save(tmp_path / "second")
    assert load(tmp_path / "second").predict(problem.target_labelled) == again.predict(
        problem.target_labelled
    )


def test_nan_and_wrong_columns_are_named(model):
    with pytest.raises(InputError, match="row 1"):
        model.predict([[0.0, 0.0, 0.0], [0.0, float("nan"), 0.0]])
    with pytest.raises(InputError, match="2 columns, and the model was fitted with 3"):
        model.predict([[0.0, 0.0]])


def test_nothing_to_predict_gives_nothing(model):
    assert model.predict(torch.zeros(0, 3)) == []
