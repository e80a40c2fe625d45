import importlib

import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import merged, open_backbone
from regraft.backbones.module import pictures
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods import METHODS
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.fine_tuning.lora import LoRA, import_peft, layers
from regraft.model_folder import load
from regraft.problem import Problem
from regraft.schedule import chosen
from regraft.selection import evaluate
from regraft.training import Training

peft = pytest.importorskip("peft")
QUICK = {"epochs": 1, "least_steps": 20, "held_out": 0.0}


def timm_network(name):
    from regraft.backbones.timm import timm_backbone

    pytest.importorskip("timm")
    phi = timm_backbone(name, pretrained=False)
    return phi.cut(0)[1], pictures(phi.preprocessing)


def mlp():
    stages = [("a", nn.Sequential(nn.Linear(5, 8), nn.ReLU())), ("b", nn.Linear(8, 8))]
    return Backbone(stages, name="mlp"), torch.randn(4, 5)


@pytest.mark.parametrize("made", [mlp, lambda: timm_network("test_resnet"), lambda: timm_network("test_vit")])
def test_as_trained_as_handed_over_and_as_merged_it_is_one_function(made):
    phi, x = made()
    y = ["owl", "crow"] * (len(x) // 2)
    recipe = LoRA(rank=2, **QUICK)
    problem = Problem(target_labelled=Domain(x, y))
    network = recipe.start(problem, phi.copied(), Training())
    torch.testing.assert_close(network.backbone.eval()(x), phi.eval()(x), atol=1e-5, rtol=1e-5)  # B = 0
    for stage in network.backbone.stages:
        for p in chosen(stage, "adapters"):
            nn.init.normal_(p, std=0.1)
    with torch.no_grad():
        as_trained = network.eval().backbone(x)
        recipe.finish(network)
        handed_over = network.backbone.eval()
        assert not any("peft" in type(m).__module__ for m in handed_over.modules())
        plain = merged(handed_over).eval()
        within = {"atol": 1e-5 * float(as_trained.abs().max().clamp(min=1)), "rtol": 1e-5}
        torch.testing.assert_close(handed_over(x), as_trained, **within)
        torch.testing.assert_close(plain(x), as_trained, **within)
        assert not torch.allclose(as_trained, phi(x), atol=1e-2)
    assert plain.spec == phi.spec
    assert plain.state_dict().keys() == phi.state_dict().keys()


def test_weights_and_statistics_are_the_borrowed_ones_bit_for_bit(problem, network):
    model = LoRA(rank=2, **QUICK).fit(problem, network)
    mine, given = model.backbone.state_dict(), network.state_dict()
    own = {name.replace(".inner.", "."): t for name, t in mine.items()}
    assert {name for name in own if name not in given} == {
        f"stages.{path}.{factor}" for path in ("1.0", "2") for factor in "AB"
    }
    assert all(torch.equal(own[name], t) for name, t in given.items())
    assert all(mine[f"stages.{path}.B"].abs().sum() > 0 for path in ("1.0", "2"))
    told = model.provenance
    head = sum(p.numel() for p in model.head.parameters())
    assert told["trained_parameters"] == 2 * (6 + 8) + 2 * (8 + 8) + head
    assert (told["ranks"], told["without_factors"]) == ({"1.0": 2, "2": 2}, [])


def test_it_beats_the_probe_where_features_have_to_change(problem, spoiled, fresh):
    tuned = LoRA(epochs=1, least_steps=200, held_out=0.0, rate=1e-2, stage_rate=1e-2).fit(problem, spoiled)
    probe = LinearProbe().fit(problem, spoiled)
    assert evaluate(tuned, fresh).value("accuracy") > evaluate(probe, fresh).value("accuracy") + 0.1


def test_layers_that_peft_would_compute_otherwise_are_left_out():
    tied = nn.Linear(4, 4)
    twin = nn.Linear(4, 4)
    twin.weight = tied.weight
    parts = {
        "plain": nn.Conv2d(4, 4, 3),
        "grouped": nn.Conv2d(4, 4, 3, groups=2),
        "dilated": nn.Conv2d(4, 4, 3, dilation=2),
        "mirrored": nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
        "tied": tied,
        "twin": twin,
        "attention": nn.MultiheadAttention(4, 2),
        "own": type("Own", (nn.Linear,), {})(4, 4),
        "norm": nn.BatchNorm2d(4),
    }
    able, left_out = layers(Backbone([("all", nn.ModuleDict(parts))], name="toy"))
    assert able == ["0.plain"]
    inside = ["0.attention", "0.attention.out_proj"]
    assert left_out == ["0.grouped", "0.dilated", "0.mirrored", "0.tied", "0.twin", *inside, "0.own"]


def test_names_are_matched_whole(problem, network):
    """The path of the last stage, "2", is the end of the path of others."""
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.BatchNorm1d(8))
    phi = Backbone([("a", net), ("b", nn.ReLU()), ("c", nn.Linear(8, 8))], name="toy")
    assert list(LoRA(rank=1, **QUICK).fit(problem, phi).provenance["ranks"]) == ["0.0", "2"]


def test_a_second_time_starts_from_the_merged_weights(problem, network, fresh, tmp_path):
    once = LoRA(rank=2, **QUICK).fit(problem, network)
    twice = LoRA(rank=3, rate=0.0, stage_rate=0.0, **QUICK).fit(problem, once.backbone)
    torch.testing.assert_close(twice.features(fresh), once.features(fresh), atol=1e-4, rtol=1e-4)
    assert twice.backbone.spec["of"] == network.spec
    again = load(twice.save(tmp_path / "m"), backbone=network)
    assert torch.equal(again.logits(fresh), twice.logits(fresh))


def test_factors_under_later_adapters_stay_as_they_are(problem, network):
    once = LoRA(rank=2, **QUICK).fit(problem, network)
    between = METHODS["Adapters"](width=2, **QUICK).fit(problem, once.backbone)
    last = LoRA(rank=2, **QUICK).fit(problem, between.backbone)
    assert {path.split(".")[-1] for path in last.provenance["ranks"]} == {"down", "up"}
    assert last.provenance["without_factors"] == ["1.inner.0", "2.inner"]
    mine, given = last.backbone.state_dict(), between.backbone.state_dict()
    assert all(torch.equal(mine[name], given[name]) for name in given if name.endswith((".A", ".B")))


def test_what_is_handed_over_is_exported_as_it_is(tmp_path, problem):
    pytest.importorskip("onnx")
    from regraft.export import export_onnx

    phi = open_backbone("glyphs")
    pixels = torch.randint(0, 255, (6, 12, 12), dtype=torch.uint8)
    model = LoRA(rank=2, epochs=1, least_steps=2, held_out=0.0).fit(
        Problem(target_labelled=Domain(pixels, ["a", "b"] * 3)), phi
    )
    export_onnx(model, tmp_path / "m.onnx", pixels)
    assert (tmp_path / "m.onnx").is_file()


def test_a_network_without_such_layers_is_said(problem):
    only = Backbone([("norm", nn.BatchNorm1d(20))], name="norms")
    with pytest.raises(InputError, match="norms has no linear layer"):
        LoRA(**QUICK).fit(problem, only)
    with pytest.raises(InputError, match="LoRA got the rank 0"):
        LoRA(rank=0, **QUICK).fit(problem, only)


def missing(name):
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def broken(name):
    raise RuntimeError("operator torchvision::nms does not exist\nmore")


@pytest.mark.parametrize(
    ("imported", "told"), [(missing, r"pip install 'regraft\[adapters\]'"), (broken, "nms does not exist")]
)
def test_without_peft_there_is_one_line(monkeypatch, imported, told):
    monkeypatch.setattr(importlib, "import_module", imported)
    with pytest.raises(InputError, match=told) as caught:
        import_peft()
    assert "\n" not in str(caught.value)
