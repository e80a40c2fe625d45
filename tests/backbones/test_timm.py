import json
import sys

import pytest
import torch
from safetensors.torch import save_file

from regraft.backbones import open_backbone, rebuild
from regraft.backbones.timm import (
    WeightsUnavailable,
    import_timm,
    rebuild_timm,
    timm_backbone,
    with_classifier,
)
from regraft.errors import InputError
from regraft.preprocessing.images import ImagePreprocessing
from regraft.readers import read_images

timm = pytest.importorskip("timm")
PIXELS = torch.randint(0, 256, (2, 40, 50, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def stored(tmp_path):
    """Weights of a small network with 7 classes, and the JSON beside them."""
    net = timm.create_model("test_efficientnet", num_classes=7, bn_eps=0.001).eval()
    file = tmp_path / "birds.safetensors"
    save_file(net.state_dict(), file)
    said = {
        "architecture": "test_efficientnet",
        "model_args": {"bn_eps": 0.001},
        "pretrained_cfg": {
            **{"input_size": [3, 48, 64], "mean": [0.1, 0.2, 0.3], "std": [0.5, 0.6, 0.7]},
            **{"interpolation": "bilinear", "crop_pct": 0.9, "crop_mode": "squash", "license": "cc0-1.0"},
        },
    }
    file.with_suffix(".json").write_text(json.dumps(said))
    return net, file


def test_the_preprocessing_is_the_weights_own(stored):
    phi = timm_backbone(weights=stored[1])
    assert phi.preprocessing == ImagePreprocessing(
        (48, 64), "squash", 0.9, "bilinear", (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    )
    assert (phi.licence, phi.source, phi.pretrained) == ("cc0-1.0", "the file birds.safetensors", True)
    default = timm_backbone("test_resnet", pretrained=False).preprocessing
    cfg = timm.get_pretrained_cfg("test_resnet")
    assert default == ImagePreprocessing((160, 160), "crop", cfg.crop_pct, "bilinear", cfg.mean, cfg.std)


def test_the_classifier_speaks_of_the_features(stored):
    net, file = stored
    phi, classifier = with_classifier(weights=file)
    prepared = phi.preprocessing(PIXELS)
    with torch.no_grad():
        expected = net(phi.preprocessing.first_stage()(prepared))
        torch.testing.assert_close(classifier(phi.features(PIXELS)), expected)
    assert not {id(p) for p in classifier.parameters()} & {id(p) for p in phi.parameters()}


def named(file, **names):
    said = json.loads(file.with_suffix(".json").read_text())
    file.with_suffix(".json").write_text(json.dumps({**said, **names}))
    return timm_backbone(weights=file).old_head


def test_the_old_head_is_the_classifier_with_the_names_beside_it(stored):
    net, file = stored
    assert timm_backbone(weights=file).old_head is None  # of seven classes nobody knows the names
    old = named(file, label_names=list("abcdefg"), label_descriptions={"b": "bee, honey bee"})
    assert old.names == ("a", "bee, honey bee, b", "c", "d", "e", "f", "g")
    assert torch.equal(old.weight, net.classifier.weight)
    assert torch.equal(old.bias, net.classifier.bias)
    assert old.source == "test_efficientnet, the file birds.safetensors"
    gaps = named(file, label_names={"0": "a", "6": "g"}, label_descriptions={})
    assert gaps.names == ("a", "", "", "", "", "", "g")


@pytest.mark.parametrize("names", [["a"], "abcdefg", 7, [*"abcdefgh"]])
def test_names_that_are_not_the_outputs_are_refused(stored, names):
    with pytest.raises(InputError, match="label_names has to list the names of the classifier's 7 outputs"):
        named(stored[1], label_names=names)


def test_a_thousand_outputs_are_imagenets(tmp_path):
    net = timm.create_model("test_efficientnet", num_classes=1000)
    save_file(net.state_dict(), tmp_path / "w.safetensors")
    (tmp_path / "w.json").write_text('{"architecture": "test_efficientnet"}')
    old = timm_backbone(weights=tmp_path / "w.safetensors").old_head
    known = {"ant": (310,), "bee": (309,), "n02012849": (134,)}
    assert old.known(["ant", "bee", "n02012849", "nothing"]) == known
    assert old.known(["crane"]) == {"crane": (134, 517)}


def test_weights_without_a_classifier(stored):
    net, file = stored
    save_file({k: t for k, t in net.state_dict().items() if not k.startswith("classifier.")}, file)
    phi, classifier = with_classifier(weights=file)
    assert classifier is None
    assert phi.features(PIXELS).shape == (2, net.num_features)


def test_weights_are_loaded_strictly(stored):
    net, file = stored
    state = net.state_dict()
    save_file({("else" if k == "conv_stem.weight" else k): t for k, t in state.items()}, file)
    matched = f"{len(state) - 1} of {len(state)} tensors match"
    with pytest.raises(
        InputError, match=rf"{matched}; missing 1 \(conv_stem.weight\); unexpected 1 \(else\)"
    ):
        timm_backbone(weights=file)


def test_rebuilding_needs_no_weights(stored):
    phi = timm_backbone(weights=stored[1]).eval()
    again = rebuild_timm(json.loads(json.dumps(phi.spec)))
    assert again.names == phi.names
    again.load_state_dict(phi.state_dict())
    assert torch.equal(again.features(PIXELS), phi.features(PIXELS))
    assert rebuild({"loader": "slice", "start": 1, "stop": 3, "of": phi.spec}).names == phi.names[1:3]


def test_grey_images_and_other_sizes():
    phi = timm_backbone("test_vit", pretrained=False, model_args={"in_chans": 1, "img_size": 64})
    assert (phi.preprocessing.colour, phi.preprocessing.size) == ("grey", (64, 64))
    assert phi.features(PIXELS).shape == (2, 64)


def test_a_prefix_and_its_suffix_are_the_whole():
    phi = timm_backbone("test_convnext", pretrained=False).eval()
    x = phi.preprocessing(PIXELS)
    for k in range(len(phi) + 1):
        assert torch.equal(phi[k:](phi[:k](x)), phi(x))


@pytest.mark.parametrize(
    ("name", "args", "told"),
    [
        (
            "mobilnetv3_small_10",
            {},
            "knows no network 'mobilnetv3_small_10'; did you mean mobilenetv3_small_100",
        ),
        ("hf-hub:someone/something", {}, "knows no network"),
        ("../weights", {}, "knows no network"),
        ("test_resnet.of_nobody", {}, "knows no weights test_resnet.of_nobody: name test_resnet.r160_in1k"),
        ("test_resnet", {"colour": 3}, r"cannot build test_resnet with \{'colour': 3\}"),
        ("test_resnet", {"checkpoint_path": "weights.pth"}, "checkpoint_path, which Regraft decides"),
        ("test_resnet", {"pretrained": True, "num_classes": 3}, "num_classes, pretrained, which"),
        ("test_resnet", {"act_layer": torch.nn.SiLU}, "numbers, texts and lists only"),
        ("test_resnet", {"in_chans": 4}, "takes 4 channels"),
        (None, {}, "no network is named"),
    ],
)
def test_what_cannot_be_built(name, args, told):
    with pytest.raises(InputError, match=told) as error:
        timm_backbone(name, pretrained=name is not None and "." in name, model_args=args)
    assert "\n" not in str(error.value)


def test_a_saved_spec_can_not_reach_files_or_networks():
    spec = timm_backbone("test_resnet", pretrained=False).spec
    for change in (
        {"args": {"checkpoint_path": "a"}},
        {"args": {"pretrained": True}},
        {"architecture": "local-dir:a"},
    ):
        with pytest.raises(InputError):
            rebuild_timm({**spec, **change})


def test_a_preprocessing_that_makes_no_sense(stored):
    _, file = stored
    said = json.loads(file.with_suffix(".json").read_text())
    for wrong in ({"input_size": 48}, {"mean": "red"}, {"crop_pct": "all"}, {"std": [0, 0, 0]}):
        changed = {**said, "pretrained_cfg": {**said["pretrained_cfg"], **wrong}}
        file.with_suffix(".json").write_text(json.dumps(changed))
        with pytest.raises(InputError):
            timm_backbone(weights=file)


def test_weights_that_are_kept_in_unsafe_formats_only():
    with pytest.raises(WeightsUnavailable, match="none as safetensors"):
        timm_backbone("gcvit_tiny")


def test_timm_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(InputError, match=r"pip install 'regraft\[images\]'"):
        import_timm()


def test_timm_is_broken(monkeypatch, tmp_path):
    (tmp_path / "timm.py").write_text("raise RuntimeError('operator nms does not exist\\nand more')")
    monkeypatch.delitem(sys.modules, "timm")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        InputError, match=r"cannot be imported \(operator nms does not exist\): install torch"
    ):
        import_timm()


@pytest.mark.data
@pytest.mark.parametrize(("width", "has_classifier"), [("035", False), ("100", True)])
def test_staged_weights(shared, width, has_classifier):
    file = shared / f"weights_mobilenetv2_{width}" / f"mobilenetv2_{width}.safetensors"
    phi, classifier = with_classifier(weights=file)
    assert phi.names == ["stem", *(f"blocks.{k}" for k in range(7))]
    assert (classifier is not None) == has_classifier
    assert open_backbone(weights=file).fingerprint() == phi.fingerprint()
    assert phi.licence == "apache-2.0"


@pytest.mark.data
def test_the_old_head_still_tells_ants_from_bees(shared, tmp_path):
    """The file's README: of the ants and bees, 82 to 85 % are first of all `ant` or `bee`."""
    import tarfile

    with tarfile.open(shared / "hymenoptera" / "hymenoptera.tar") as archive:
        some = [m for m in archive.getmembers() if m.isfile() and m.name.startswith("val/")][::5]
        archive.extractall(tmp_path, some, filter="data")
    photos = read_images(tmp_path / "val")
    weights = shared / "weights_mobilenetv2_100"
    phi, classifier = with_classifier(weights=weights / "mobilenetv2_100.safetensors")
    lines = (weights / "imagenet_classes.txt").read_text().splitlines()
    with torch.no_grad():
        said = [lines[i].split(",")[0] for i in classifier(phi.features(photos.x)).argmax(1).tolist()]
    right = [
        s == label.removesuffix("s") for s, label in zip(said, photos.classes.decode(photos.y), strict=True)
    ]
    assert sum(right) / len(right) > 0.7
