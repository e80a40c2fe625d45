import hashlib
import json
import os
import pickle
from pathlib import Path

import pytest
import torch

from regraft.backbones import glyphs, pixels, small_mlp, table, vectors
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.features import Store
from regraft.folder import CARD, DESCRIPTION, WEIGHTS, check_target
from regraft.methods import METHODS
from regraft.model_folder import load
from regraft.problem import Problem
from regraft.readers import Table


@pytest.fixture
def data():
    return Domain(torch.randn(20, 3), ["<b>owl</b>", "cröw"] * 10)


@pytest.fixture
def model(data):
    return METHODS["LinearProbe"]().fit(Problem(target_labelled=data), vectors())


def test_the_folder_holds_json_safetensors_and_a_card_alone(model, tmp_path):
    model.save(tmp_path / "birds", {"study.json": "{}"})
    assert {p.name for p in (tmp_path / "birds").iterdir()} == {DESCRIPTION, WEIGHTS, CARD, "study.json"}
    assert {p.name for p in tmp_path.iterdir()} == {"birds"}
    assert json.loads((tmp_path / "birds" / DESCRIPTION).read_text())["format"] == 1


def test_saving_again_replaces(model, data, tmp_path):
    model.save(tmp_path / "birds")
    other = METHODS["Majority"]().fit(Problem(target_labelled=data), vectors())
    other.save(tmp_path / "birds")
    assert load(tmp_path / "birds").provenance["method"] == "Majority"
    assert {p.name for p in tmp_path.iterdir()} == {"birds"}


@pytest.mark.parametrize("content", ['{"format": "layers-model", "modelTopology": {}}', "", "{"])
def test_the_model_of_another_program_is_not_replaced(tmp_path, network, problem, content):
    model = METHODS["NearestMean"]().fit(problem, network)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "model.json").write_text(content)
    (tmp_path / "web" / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match="is no Regraft model: name another folder"):
        model.save(tmp_path / "web")
    assert sorted(file.name for file in (tmp_path / "web").iterdir()) == ["model.json", "thesis.tex"]


def test_what_was_put_beside_a_model_is_not_thrown_away(tmp_path, network, problem):
    model = METHODS["NearestMean"]().fit(problem, network)
    model.save(tmp_path / "m")
    (tmp_path / "m" / "labels.csv").write_text("precious")
    with pytest.raises(InputError, match=r"holds what Regraft did not write \(labels.csv\)"):
        model.save(tmp_path / "m")
    assert (tmp_path / "m" / "labels.csv").read_text() == "precious"


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


def test_a_replacement_that_fails_brings_the_old_model_back(model, tmp_path, monkeypatch):
    model.save(tmp_path / "birds")
    before = (tmp_path / "birds" / WEIGHTS).read_bytes()
    rename, calls = Path.rename, []

    def second_fails(self, target):
        calls.append(self)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr("regraft.replacing._exchanged", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", second_fails)
    with pytest.raises(InputError, match="Input/output error"):
        model.save(tmp_path / "birds")
    monkeypatch.undo()
    assert {p.name for p in tmp_path.iterdir()} == {"birds"}
    assert (tmp_path / "birds" / WEIGHTS).read_bytes() == before


def test_a_folder_is_named_by_any_path_that_leads_to_it(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("link").symlink_to("linked")
    for path in ("empty/../empty", "link", "new/../new/deep", "new/deep/."):
        model.save(path)
    assert {p.name for p in tmp_path.iterdir()} == {"empty", "link", "linked", "new"}
    assert all(load(name).output == model.output for name in ("empty", "linked", "new/deep"))


@pytest.mark.parametrize(
    "place", ["afile", "afile/x", "afile/x/y", "photos", "loop/x", "/proc/x", "/proc", "/"]
)
def test_where_no_model_can_be_written_is_said_before_the_work(model, tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    Path("afile").write_text("precious")
    Path("photos").mkdir()
    Path("photos/owl.jpg").write_bytes(b"precious")
    Path("loop").symlink_to("loop")
    before = sorted(tmp_path.rglob("*"))
    for attempt in (check_target, model.save):
        with pytest.raises(InputError) as told:
            attempt(place)
        assert "\n" not in str(told.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_place_that_will_do_is_left_as_it_is(model, tmp_path):
    model.save(tmp_path / "birds")
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for place in ("birds", "empty", "new", "new/deep"):
        check_target(tmp_path / place)
    assert sorted(tmp_path.rglob("*")) == before


def test_whoever_exchanges_the_names_of_the_classes_is_noticed(model, tmp_path):
    folder = model.save(tmp_path / "birds")
    text = (folder / DESCRIPTION).read_text(encoding="utf-8")
    (folder / DESCRIPTION).write_text(json.dumps(json.loads(text)), encoding="utf-8")  # laid out otherwise
    assert load(folder).output == model.output
    swapped = text.replace("cröw", "?").replace("<b>owl</b>", "cröw").replace("?", "<b>owl</b>")
    (folder / DESCRIPTION).write_text(swapped, encoding="utf-8")
    with pytest.raises(InputError, match="checksum") as told:
        load(folder)
    assert "\n" not in str(told.value)


def changed(folder, **values):
    """The description changed by somebody who knows how to sign it."""
    saved = json.loads((folder / DESCRIPTION).read_text())
    saved.update(values)
    del saved["sha256"]
    saved["sha256"] = hashlib.sha256(json.dumps(saved, sort_keys=True).encode()).hexdigest()
    (folder / DESCRIPTION).write_text(json.dumps(saved))


def test_a_folder_of_the_first_release_is_loaded(model, data, tmp_path):
    folder = model.save(tmp_path / "birds")
    (folder / CARD).unlink()
    saved = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    del saved["reading"], saved["sha256"]
    for later in ("data", "network", "versions"):
        del saved["provenance"][later]
    saved["sha256"] = hashlib.sha256(json.dumps(saved, sort_keys=True).encode()).hexdigest()
    (folder / DESCRIPTION).write_text(json.dumps(saved), encoding="utf-8")
    again = load(folder)
    assert torch.equal(again.logits(data), model.logits(data))
    again.save(tmp_path / "again")
    assert "It tells apart 2 classes" in (tmp_path / "again" / CARD).read_text(encoding="utf-8")


def test_samples_that_are_read_otherwise_than_before_are_said(tmp_path):
    rows = Domain(Table(("a",), [["1"], ["2"]]), list("ab"))
    folder = METHODS["NearestMean"]().fit(Problem(target_labelled=rows), table()).save(tmp_path / "m")
    saved = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    assert "n/a" in saved["reading"]["missing"]
    changed(folder, reading={**saved["reading"], "missing": [""]})
    with pytest.warns(
        UserWarning, match="otherwise than the one that fitted the model: missing; fit it again"
    ):
        load(folder)


def sliced(folder, **cut):
    spec = {"loader": "slice", "of": {"loader": "vectors"}, **cut}
    changed(folder, backbone={"name": "", "licence": "", "source": "", "spec": spec})


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda f: changed(f, format=3), "upgrade regraft"),
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
        (lambda f: sliced(f, start="a", stop=None), "does not describe a model"),
        (lambda f: sliced(f, start=0, stop=None, of=7), "does not describe a model"),
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


@pytest.mark.parametrize(
    "cut",
    [
        lambda phi: phi[:2],
        lambda phi: phi[:0],
        lambda phi: phi[1:],
        lambda phi: phi[1:3][1:],
        lambda phi: phi[:3][:2][:],
        lambda phi: phi[2:].behind(phi[:1]),
        lambda phi: phi[1:2].behind(phi[:1]),
        lambda phi: phi[3:].behind(phi[:1]).cut(1)[0],
    ],
)
@pytest.mark.parametrize("method", ["LinearProbe", "FineTune"])
def test_slices_are_saved_and_loaded(cut, method, tmp_path):
    whole = small_mlp(4, widths=(4, 4, 4, 4))
    whole.pretrained = True
    phi, data = cut(whole), Domain(torch.randn(20, 4), ["owl", "crow"] * 10)
    recipe = METHODS[method](**({} if method == "LinearProbe" else {"least_steps": 2, "epochs": 1}))
    model = recipe.fit(Problem(target_labelled=data), phi)
    assert model.backbone.spec == phi.spec
    again = load(model.save(tmp_path / "birds"))
    assert (again.backbone.names, again.backbone.spec) == (phi.names, phi.spec)
    assert torch.equal(again.logits(data), model.logits(data))


def test_a_slice_of_the_built_in_network(tmp_path):
    data = Domain(torch.randint(0, 255, (8, 16, 16), dtype=torch.uint8), ["owl", "crow"] * 4)
    model = METHODS["LinearProbe"]().fit(Problem(target_labelled=data), glyphs()[:2])
    again = load(model.save(tmp_path / "birds"))
    assert torch.equal(again.logits(data), model.logits(data))


def test_a_slice_of_a_network_of_the_users_own(network, problem, tmp_path):
    part = network[:2]
    model = METHODS["LinearProbe"]().fit(problem, part)
    model.save(tmp_path / "rings")
    for handed_in in (network, part):
        again = load(tmp_path / "rings", backbone=handed_in)
        assert again.predict(problem.target_labelled) == model.predict(problem.target_labelled)


def test_a_store_spares_the_features_and_changes_nothing(network, problem, fresh):
    model, store = METHODS["LinearProbe"]().fit(problem, network), Store()
    for _ in range(2):
        assert torch.equal(model.probabilities(fresh, store), model.probabilities(fresh))
        assert store.computed == len(fresh)


def test_nan_and_wrong_columns_are_named(model):
    with pytest.raises(InputError, match="row 1"):
        model.predict([[0.0, 0.0, 0.0], [0.0, float("nan"), 0.0]])
    with pytest.raises(InputError, match="2 columns, and the model was fitted with 3"):
        model.predict([[0.0, 0.0]])


def test_nothing_to_predict_gives_nothing(model):
    assert model.predict(torch.zeros(0, 3)) == []
    images = Domain(torch.randint(0, 255, (4, 8, 8), dtype=torch.uint8), list("abab"))
    of_images = METHODS["NearestMean"]().fit(Problem(target_labelled=images), pixels())
    assert of_images.predict(images[:0]) == []
    rows = Domain(Table(("a",), [["1"], ["2"]]), list("ab"))
    of_rows = METHODS["NearestMean"]().fit(Problem(target_labelled=rows), table())
    assert of_rows.predict(rows[:0]) == []
