"""Folders that hold only what differs from the network that was borrowed."""

import hashlib
import json
import shutil
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import glyphs, open_backbone, pixels, shortened, small_mlp
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.folder import CARD, DESCRIPTION, WEIGHTS
from regraft.methods import METHODS
from regraft.model_folder import load
from regraft.problem import Problem
from regraft.thin import Borrowed

QUICK = {"epochs": 1, "least_steps": 2, "held_out": 0.0}
FROZEN = ["LinearProbe", "NearestMean", "BitFit", "Adapters", "LoRA", "FrozenLayers"]


@pytest.fixture
def strokes():
    images = torch.randint(0, 255, (8, 12, 12), dtype=torch.uint8)
    return Problem(target_labelled=Domain(images, ["line", "dot"] * 4))


def fitted(name, problem, phi):
    if name == "LoRA":
        pytest.importorskip("peft")
    return METHODS[name](**(QUICK if "epochs" in METHODS[name]().recipe() else {})).fit(problem, phi)


def size(folder):
    return (folder / WEIGHTS).stat().st_size


@pytest.mark.parametrize("name", FROZEN)
def test_what_is_left_out_comes_from_the_network_that_was_borrowed(name, strokes, tmp_path):
    phi = glyphs()
    model = fitted(name, strokes, phi)
    thin, whole = model.save(tmp_path / "thin", on=phi), model.save(tmp_path / "whole")
    assert size(thin) < size(whole) / (1.5 if name == "FrozenLayers" else 4)
    images = strokes.target_labelled
    for again in (load(thin), load(thin, backbone=glyphs()), load(thin, backbone="glyphs"), load(whole)):
        assert torch.equal(again.logits(images), model.logits(images))
        assert again.provenance == model.provenance
        assert again.backbone.spec == json.loads(json.dumps(model.backbone.spec))


def test_a_network_of_the_users_own_is_told_by_its_numbers(network, problem, fresh, tmp_path):
    model = fitted("Adapters", problem, network)
    folder = model.save(tmp_path / "m", on=network)
    assert torch.equal(load(folder, backbone=network).logits(fresh), model.logits(fresh))
    with pytest.raises(InputError, match=r"only what differs from rings .* hand it in") as told:
        load(folder)
    assert "\n" not in str(told.value)
    other = network.copied()
    with torch.no_grad():
        other.stages[2].bias[0] = -other.stages[2].bias[0]
    with pytest.raises(InputError, match="handed in is another") as told:
        load(folder, backbone=other)
    assert network.fingerprint() in str(told.value)
    assert other.fingerprint() in str(told.value)
    with pytest.raises(InputError, match="handed in is another"):
        load(folder, backbone=glyphs())


def test_the_same_numbers_in_another_structure_are_another_network(tmp_path):
    parts = [nn.Linear(3, 4), nn.Linear(4, 4)]

    def built(between):
        stages = [("a", nn.Sequential(parts[0], between)), ("b", parts[1])]
        return Backbone(stages, name="net")

    data = Problem(target_labelled=Domain(torch.randn(8, 3), ["low", "high"] * 4))
    folder = fitted("LinearProbe", data, built(nn.ReLU())).save(tmp_path / "m", on=built(nn.ReLU()))
    load(folder, backbone=built(nn.ReLU()))
    with pytest.raises(InputError, match="is another"):
        load(folder, backbone=built(nn.Sigmoid()))
    older = json.loads((folder / DESCRIPTION).read_text())["borrowed"]["versions"] | {"torch": "2.6.0"}
    changed(folder, versions=older, fingerprint="as another torch would have it")
    with pytest.warns(UserWarning, match="versions are not: check some predictions"):
        load(folder, backbone=built(nn.ReLU()))


def changed(folder, **values):
    """The description of the borrowed network changed by somebody who knows how to sign it."""
    saved = json.loads((folder / DESCRIPTION).read_text())
    saved["borrowed"].update(values)
    del saved["sha256"]
    saved["sha256"] = hashlib.sha256(json.dumps(saved, sort_keys=True).encode()).hexdigest()
    (folder / DESCRIPTION).write_text(json.dumps(saved))


def test_a_module_is_handed_in_again_as_it_was(problem, tmp_path):
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 4))
    phi = open_backbone(net)
    model = fitted("LinearProbe", problem, phi)
    folder = model.save(tmp_path / "m", on=phi)
    x = problem.target_labelled
    assert torch.equal(load(folder, backbone=net).logits(x), model.logits(x))
    with torch.no_grad():
        net[2].bias.add_(1)
    with pytest.raises(InputError, match="is another"):
        load(folder, backbone=net)


def test_a_shortened_network_stands_on_the_whole_one(problem, fresh, tmp_path):
    phi = small_mlp(20, widths=(8, 8, 8), seed=5)
    model = fitted("LinearProbe", problem, shortened(phi, 2))
    folder = model.save(tmp_path / "m", on=phi)
    assert torch.equal(load(folder).logits(fresh), model.logits(fresh))  # a seed is all that is to be known
    assert size(folder) < size(model.save(tmp_path / "whole")) / 2


def test_minus_zero_is_not_zero_and_is_kept(problem, tmp_path):
    phi = small_mlp(20, widths=(8, 8))
    model = fitted("LinearProbe", problem, phi)
    model.backbone = model.backbone.copied()
    with torch.no_grad():
        phi.stages[1].linear.bias[0], model.backbone.stages[1].linear.bias[0] = 0.0, -0.0
    phi.spec = model.backbone.spec = {**phi.spec, "seed": 1}
    again = load(model.save(tmp_path / "m", on=phi), backbone=phi)
    assert again.backbone.stages[1].linear.bias[0].signbit()


def test_a_network_that_was_trained_is_saved_whole(strokes, tmp_path):
    phi = glyphs()
    model = fitted("FineTune", strokes, phi)
    with pytest.warns(
        UserWarning, match="of this model's network is glyphs as it was, so the folder holds all"
    ):
        folder = model.save(tmp_path / "m", on=phi)
    assert json.loads((folder / DESCRIPTION).read_text())["format"] == 1
    assert torch.equal(load(folder).logits(strokes.target_labelled), model.logits(strokes.target_labelled))


def test_where_there_is_nothing_to_leave_out_nothing_is_said(strokes, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = fitted("LinearProbe", strokes, pixels()).save(tmp_path / "m", on=pixels())
    assert "borrowed" not in json.loads((folder / DESCRIPTION).read_text())


def test_a_model_on_a_saved_model_finds_it_beside_the_folder(problem, fresh, tmp_path):
    first = METHODS["FromScratch"](**QUICK).fit(problem, small_mlp(20)).save(tmp_path / "here" / "first")
    phi = open_backbone(first)
    model = fitted("Adapters", problem, phi)
    folder = model.save(tmp_path / "here" / "second", on=phi)
    assert str(tmp_path) not in (folder / DESCRIPTION).read_text()
    shutil.move(tmp_path / "here", tmp_path / "there")
    again = load(tmp_path / "there" / "second")
    assert torch.equal(again.logits(fresh), model.logits(fresh))
    # what is there now is another network
    METHODS["FromScratch"](**QUICK, rate=0.1).fit(problem, small_mlp(20)).save(tmp_path / "there" / "first")
    with pytest.raises(InputError, match="the network found is another"):
        load(tmp_path / "there" / "second")
    shutil.rmtree(tmp_path / "there" / "first")
    with pytest.raises(InputError, match="hand it in by --backbone"):
        load(tmp_path / "there" / "second")


def test_weights_beside_the_folder_are_found(tmp_path):
    timm = pytest.importorskip("timm")
    from safetensors.torch import save_file

    net = timm.create_model("test_efficientnet", num_classes=0).eval()
    save_file(net.state_dict(), tmp_path / "birds.safetensors")
    said = {"architecture": "test_efficientnet", "pretrained_cfg": {"input_size": [3, 32, 32]}}
    (tmp_path / "birds.json").write_text(json.dumps(said))
    phi = open_backbone(tmp_path / "birds.safetensors")
    images = Domain(torch.randint(0, 255, (4, 32, 32, 3), dtype=torch.uint8), ["a", "b"] * 2)
    model = fitted("Adapters", Problem(target_labelled=images), phi)
    folder = model.save(tmp_path / "m", on=phi)
    assert torch.equal(load(folder).logits(images), model.logits(images))
    assert size(folder) < (tmp_path / "birds.safetensors").stat().st_size / 4
    elsewhere = (tmp_path / "birds.safetensors").rename(tmp_path / "net.safetensors")
    (tmp_path / "birds.json").rename(tmp_path / "net.json")
    with pytest.raises(InputError, match="hand it in"):
        load(folder)
    assert torch.equal(load(folder, backbone=elsewhere).logits(images), model.logits(images))


def test_nothing_is_fetched_because_a_folder_names_it(strokes, tmp_path, monkeypatch):
    pytest.importorskip("timm")
    from regraft.backbones import timm as loader

    monkeypatch.setattr(loader, "fetched", lambda *names: pytest.fail("the hub was asked"))
    monkeypatch.setattr(loader, "cached", lambda repository: None)
    phi = glyphs()
    folder = fitted("LinearProbe", strokes, phi).save(tmp_path / "m", on=phi)
    changed(folder, place={"name": "mobilenetv3_small_100"})
    with pytest.raises(InputError, match="hand it in"):
        load(folder)


def test_the_card_says_what_is_needed(strokes, tmp_path):
    phi = glyphs()
    model = fitted("Adapters", strokes, phi)
    card = (model.save(tmp_path / "m", on=phi) / CARD).read_text()
    assert "This folder holds only what differs from glyphs" in card
    trained, network = (model.provenance[name] for name in ("trained_parameters", "network_parameters"))
    share = 100 * trained / network
    assert f"| trained parameters | {trained:,}, {share:.3g} % of the network's {network:,} |" in card
    assert "only what differs" not in (model.save(tmp_path / "m") / CARD).read_text()


def test_what_is_said_of_the_network_is_json(strokes):
    phi = glyphs()
    said = Borrowed.of(phi, phi.state_dict(), Path("m"))
    assert Borrowed.from_json(json.loads(json.dumps(said.to_json()))) == said
