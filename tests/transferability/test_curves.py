import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from regraft.backbones import small_mlp, vectors
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.problem import Problem
from regraft.training import Training
from regraft.transferability import CURVES, curves, transferable
from regraft.transferability.transplant import Transplant
from regraft.transferability.trials import of_pair


def clouds(seed: int, names: str = "abcd", columns: int = 3) -> Domain:
    """Ten points around each of some centres."""
    generator = torch.Generator().manual_seed(seed)
    centres = 2 * torch.randn(len(names), columns, generator=generator)
    y = torch.arange(len(names)).repeat(10)
    x = centres[y] + torch.randn(len(y), columns, generator=generator)
    return Domain(x, [names[i] for i in y.tolist()])


QUICK = {"repeats": 2, "steps": 5, "backbone": small_mlp(3, (5, 4))}


def test_every_point_is_what_its_definition_says():
    """Recomputed fit by fit: whose layers are copied, which samples are learned, which are scored."""
    source, target = clouds(0), clouds(1, "xyz")
    network = small_mlp(3, (5, 4))
    found = transferable(target, source, network, repeats=2, steps=10, training=Training(seed=4))
    recipe = Transplant(epochs=0, least_steps=10, batch_size=64, held_out=0.0)
    trial = list(of_pair(source, target, repeats=2, seed=4))[1]

    def fitted(recipe, domain, test, given, seed):
        rows = torch.tensor([i for i in range(len(domain)) if i not in test.tolist()])
        return recipe.fit(Problem(target_labelled=domain[rows]), given, Training(seed=seed))

    held_out = target[trial.b_test]

    def right(model):
        said = model.predict(held_out)
        return sum(map(str.__eq__, said, held_out.classes.decode(held_out.labels))) / len(said)

    base_a = fitted(recipe, source, trial.a_test, network, 8002)
    base_b = fitted(recipe, target, trial.b_test, network, 8002)
    assert found.scratch[1] == pytest.approx(right(base_b))
    for curve, (from_a, tuned) in CURVES.items():
        for column, n in enumerate((1, 2)):
            given = (base_a if from_a else base_b).backbone
            point = replace(recipe, copied=n, tuned=tuned)
            expected = right(fitted(point, target, trial.b_test, given, 8003))
            assert found.points[curve][1, column] == pytest.approx(expected)


def test_the_same_seed_gives_the_same_points():
    a, b, c = (
        transferable(clouds(0), halves=True, **QUICK, training=Training(seed=seed)) for seed in (0, 0, 1)
    )
    assert all(torch.equal(a.points[curve], b.points[curve]) for curve in CURVES)
    assert any(not torch.equal(a.points[curve], c.points[curve]) for curve in CURVES)


def test_networks_trained_so_far_are_found_again(tmp_path):
    training = Training(checkpoints=tmp_path)
    first = transferable(clouds(0), halves=True, **QUICK, training=training)
    # of both repeats baseA and baseB, and 4 curves of 2 cuts
    assert len(list(tmp_path.iterdir())) == 2 * (2 + 4 * 2)
    again = transferable(clouds(0), halves=True, **QUICK, training=training)
    assert all(torch.equal(first.points[curve], again.points[curve]) for curve in CURVES)


def test_a_pretrained_network_is_a_and_what_it_knows_carries_over(network, fresh):
    """Rings are linear in its first stage and in no random one; its weights are used, and left alone."""
    before = network.fingerprint()
    found = transferable(fresh[:200], backbone=network, cuts=[3], repeats=2, steps=60, rate=0.1)
    assert found.source_accuracy is None
    assert "what rings was pretrained on" in found.setting
    assert network.fingerprint() == before
    assert found.points["AnB"].mean() > 0.95


def test_what_it_found_is_told_in_json():
    found = transferable(clouds(0), halves=True, **QUICK)
    told = json.loads(json.dumps(found.to_json()))
    assert [cut["stage"] for cut in told["cuts"]] == ["layer1", "layer2"]
    assert told["curves"]["AnB"][1]["repeats"] == pytest.approx(found.points["AnB"][:, 1].tolist())
    assert told["curves"]["AnB"][1]["value"] == pytest.approx(float(found.points["AnB"][:, 1].mean()))
    assert "half of the classes (baseA" in str(found)
    assert "B: the other half, of 40 vectors of 3 numbers, 4 classes." in str(found)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"repeats": 1}, "intervals need 2"),
        ({"halves": False}, "not pretrained"),
        ({"source": clouds(3)}, "a source and halves"),
        ({"cuts": [0, 1]}, "numbers from 1 to 2"),
        ({"cuts": []}, "numbers from 1 to 2"),
        ({"backbone": vectors()}, "has no layers"),
        ({"budget": 1e-9}, "the budget is"),
    ],
)
def test_what_makes_no_sense_is_said(arguments, told):
    with pytest.raises(InputError, match=told):
        transferable(clouds(0), **{"halves": True, **QUICK, **arguments})


def test_no_repeat_begins_that_would_end_too_late(monkeypatch):
    """A repeat takes ten seconds by this clock, of which the first of ten networks takes one."""
    clock = iter([0, 1, 10, 20])
    monkeypatch.setattr(curves, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    found = transferable(clouds(0), halves=True, **{**QUICK, "repeats": 5}, budget=25)
    assert found.repeats == 2
