"""Backbones from unlabelled samples: watched, chosen, judged."""

import pytest
import torch

import regraft as rg
from regraft.pretexts import PRETEXTS
from regraft.pretexts.contrastive.vicreg import VICReg
from regraft.pretraining import pretrain
from regraft.training import Training

QUICK = {"epochs": 1, "least_steps": 10, "batch_size": 16}


def test_labels_change_nothing_of_what_is_learned(crowd):
    task = VICReg(**QUICK)
    flipped = crowd.with_(y=1 - crowd.y)
    one, two, none = (
        pretrain(crowd.unlabelled(), task, labelled=few).backbone for few in (crowd, flipped, None)
    )
    x = crowd.x
    assert torch.equal(one.features(x), two.features(x))
    assert torch.equal(one.features(x), none.features(x))


def test_tasks_are_chosen_by_a_probe_and_the_verdict_is_against_what_costs_nothing(crowd):
    done = pretrain(crowd.unlabelled(), "auto", labelled=crowd[:60], budget=1.0)
    choice = done.choice
    names = {type(one.made.task).__name__ for one in choice.tried}
    assert {"SimCLR", "VICReg", "BYOL"} <= names
    assert "Rotation" not in names
    best = max(one.probe.scores.value("accuracy") for one in choice.tried)
    taken = [o for o in choice.tried if type(o.made.task) is type(done.made.task)]
    assert taken[0].probe.scores.value("accuracy") == best
    assert [row.candidate.name for row in choice.baselines] == [
        "LinearProbe (columns)",
        "LinearProbe, random weights (small mlp)",
    ]
    assert choice.verdict.outcome in ("helps", "no evidence", "hurts")
    assert str(choice.verdict) in str(done)
    assert done.to_json()["choice"]["tried"][-1]["task"] == type(done.made.task).__name__


def test_tasks_that_cannot_be_made_of_the_samples_are_left_out_with_the_reason(monkeypatch):
    some = {name: PRETEXTS[name] for name in ("Rotation", "Colorization", "SlowFeatures")}
    monkeypatch.setattr("regraft.pretraining.PRETEXTS", some)
    x = torch.randint(256, (40, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labelled = rg.Domain(x[:20], ["a", "b"] * 10)
    choice = pretrain(rg.Domain(x), "auto", labelled=labelled, budget=0.2).choice
    assert [type(one.made.task).__name__ for one in choice.tried] == ["Rotation"]
    told = dict(choice.left_out)
    assert "are all grey" in told["Colorization"]
    assert "order of time" in told["SlowFeatures"]


def test_to_choose_takes_labels(crowd):
    with pytest.raises(rg.InputError, match="give labelled samples, or name a task"):
        pretrain(crowd.unlabelled())


def test_features_that_nothing_holds_apart_are_noticed(crowd):
    task = PRETEXTS["VICReg"](vary=0.0, differ=0.0, least_steps=300, epochs=0, rate=1e-2)
    assert "collapsed" in pretrain(crowd.unlabelled(), task).messages[0]


def test_a_run_within_a_budget_goes_on_with_its_number_of_steps(crowd, tmp_path):
    training = Training(checkpoints=tmp_path)
    one = pretrain(crowd.unlabelled(), VICReg(**QUICK), training=training, budget=0.2)
    [file] = tmp_path.glob("*.steps")
    assert int(file.read_text()) == one.made.steps
    again = pretrain(crowd.unlabelled(), VICReg(**QUICK), training=training, budget=0.2)
    assert again.made.steps == one.made.steps
    assert torch.equal(again.backbone.features(crowd.x), one.backbone.features(crowd.x))
