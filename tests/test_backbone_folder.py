"""A network in a folder, without a head."""

import json

import pytest
import torch
from torch import nn

from regraft.backbone_folder import load_backbone, save_backbone
from regraft.backbones import open_backbone, small_convnet, small_mlp
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.folder import DESCRIPTION, WEIGHTS
from regraft.methods import METHODS
from regraft.model_folder import load
from regraft.preprocessing.vectors import Standardised
from regraft.pretexts import PRETEXTS
from regraft.problem import Problem


@pytest.fixture(scope="module")
def made():
    pool = Domain(3 + 2 * torch.randn(60, 4, generator=torch.Generator().manual_seed(0)))
    network = small_mlp(4, (6, 5)).prepared_by(Standardised())
    return PRETEXTS["VICReg"](epochs=1, least_steps=5, batch_size=16).pretrain(pool, network).backbone


def test_it_comes_back_as_it_was(made, tmp_path):
    again = open_backbone(save_backbone(made, tmp_path / "b"))
    x = torch.randn(7, 4)
    assert torch.equal(again.features(x), made.features(x))
    assert again.fingerprint() == made.fingerprint()
    assert (again.name, again.names, again.source) == (made.name, made.names, made.source)
    assert again.ancestors == json.loads(json.dumps(made.ancestors)) or list(again.ancestors) == json.loads(
        json.dumps(list(made.ancestors))
    )
    assert again.pretrained
    assert again.place == tmp_path / "b"


def test_a_model_on_it_remembers_and_is_saved(made, tmp_path):
    network = open_backbone(save_backbone(made, tmp_path / "b"))
    birds = Domain(torch.randn(20, 4), ["owl", "crow"] * 10)
    model = METHODS["LinearProbe"]().fit(Problem(target_labelled=birds), network)
    again = load(model.save(tmp_path / "m"))
    assert torch.equal(again.logits(birds.x), model.logits(birds.x))
    assert model.provenance["ancestors"][0]["method"] == "VICReg"


def test_damage_is_one_line(made, tmp_path):
    folder = save_backbone(made, tmp_path / "b")
    weights = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    with pytest.raises(InputError, match="does not have the checksum"):
        open_backbone(folder)
    (folder / WEIGHTS).write_bytes(weights)
    said = json.loads((folder / DESCRIPTION).read_text())
    (folder / DESCRIPTION).write_text(json.dumps({**said, "ancestors": []}))
    with pytest.raises(InputError, match="does not have the checksum"):
        load_backbone(folder)


def test_a_model_is_no_backbone_folder_and_the_other_way_round(made, tmp_path):
    birds = Domain(torch.randn(20, 4), ["owl", "crow"] * 10)
    model = METHODS["LinearProbe"]().fit(Problem(target_labelled=birds), made)
    model.save(tmp_path / "m")
    with pytest.raises(InputError, match="holds a model"):
        load_backbone(tmp_path / "m")
    with pytest.raises(InputError, match="a network without a head"):
        load(save_backbone(made, tmp_path / "b"))


def test_weights_that_do_not_fit_are_one_line(made, tmp_path):
    folder, other = save_backbone(made, tmp_path / "b"), save_backbone(small_convnet(), tmp_path / "c")
    for name in (DESCRIPTION, WEIGHTS):
        assert (other / name).is_file()
    from regraft.folder import read, write

    said, _ = read(folder)
    _, tensors = read(other)
    said = {k: v for k, v in said.items() if k not in ("format", "regraft", "weights_sha256")}
    write(tmp_path / "d", 1, said, tensors, {})
    with pytest.raises(InputError, match="does not describe"):
        load_backbone(tmp_path / "d")


def test_a_network_of_ones_own_is_handed_in_again(tmp_path):
    own = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 5))
    pool = Domain(torch.randn(60, 4, generator=torch.Generator().manual_seed(0)))
    task = PRETEXTS["VICReg"](epochs=1, least_steps=5, batch_size=16)
    learned = task.pretrain(pool, open_backbone(own)).backbone
    save_backbone(learned, tmp_path / "b")
    with pytest.raises(InputError, match=r"open_backbone\(path, module=module\) for a backbone"):
        open_backbone(tmp_path / "b")
    again = open_backbone(tmp_path / "b", module=own)
    assert torch.equal(again.features(pool.x), learned.features(pool.x))
