import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from regraft.backbones.files import load_strictly, weights_file
from regraft.errors import InputError

DESCRIBED = {
    "architecture": "resnet18",
    "num_classes": 2,
    "model_args": {"stem_width": 8, "num_classes": 2},
    "pretrained_cfg": {"input_size": [3, 32, 32], "license": "cc-by-4.0", "origin_url": "a book"},
}


@pytest.fixture
def stored(tmp_path):
    """Weights of a small network and the JSON beside them."""
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    (tmp_path / "net.json").write_text(json.dumps(DESCRIBED))
    return tmp_path / "net.safetensors"


def test_what_the_json_says(stored):
    found = weights_file(stored)
    assert (found.architecture, found.model_args) == ("resnet18", {"stem_width": 8})
    assert (found.licence, found.source) == ("cc-by-4.0", "a book")
    assert found.preprocessing["input_size"] == [3, 32, 32]
    assert found.state["0.weight"].shape == (4, 3)


def test_the_hubs_name_for_the_json(stored):
    stored.with_suffix(".json").rename(stored.with_name("config.json"))
    assert weights_file(stored).architecture == "resnet18"


def test_a_name_stands_in_for_the_json(stored):
    stored.with_suffix(".json").unlink()
    assert weights_file(stored, "resnet34").architecture == "resnet34"
    with pytest.raises(InputError, match=r"net\.json, which says what network .* is missing: write it"):
        weights_file(stored)


def test_the_json_of_another_network(stored):
    with pytest.raises(InputError, match="are of resnet18, not vgg11"):
        weights_file(stored, "vgg11")
    assert weights_file(stored, "resnet18.a1_in1k").architecture == "resnet18"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"architecture": 3}', '{"architecture": "a", "model_args": []}', "[" * 100_000],
)
def test_a_damaged_json(stored, text):
    stored.with_suffix(".json").write_text(text)
    with pytest.raises(InputError, match="architecture"):
        weights_file(stored)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".pkl", ".h5", ".npy", ".ckpt"])
def test_formats_that_can_execute_code_are_refused(tmp_path, suffix):
    (tmp_path / f"net{suffix}").write_bytes(b"anything")
    with pytest.raises(InputError, match=r"can execute code.*convert it once.*save_file"):
        weights_file(tmp_path / f"net{suffix}")


@pytest.mark.parametrize("keep", [0, 7, 40, -1])
def test_a_damaged_file(stored, keep):
    stored.write_bytes(stored.read_bytes()[:keep])
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        weights_file(stored)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        weights_file(tmp_path / "none.safetensors")


def test_loading_is_strict(stored):
    found = weights_file(stored)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    load_strictly(net, found)
    assert torch.equal(net[0].weight, found.state["0.weight"])
    with pytest.raises(InputError) as told:
        load_strictly(nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 4)), found)
    assert (
        "2 of 4 tensors match; unexpected 3 (1.num_batches_tracked, 1.running_mean, 1.running_var); "
        "of another shape 2 (0.weight (4, 3), not (4, 2), 1.weight (4,), not (4, 4))"
    ) in str(told.value)
    with pytest.raises(InputError, match=r"missing 5 \(2\.weight, 2\.bias, 3\.weight, …\)"):
        load_strictly(nn.Sequential(*net, nn.Linear(4, 4), nn.Linear(4, 1), nn.PReLU()), found)
    assert "\n" not in str(told.value)
