"""Backbones from unlabelled samples: watched, chosen, judged."""

import pytest
import torch

import regraft as rg
from regraft.checkpoint import History
from regraft.methods.features.linear_probe import LinearProbe
from regraft.pretexts import PRETEXTS
from regraft.pretexts.contrastive.vicreg import VICReg
from regraft.pretraining import Watch, collapse, fresh_network, pretrain
from regraft.problem import Problem
from regraft.training import Training

QUICK = {"epochs": 1, "least_steps": 10, "batch_size": 16}


@pytest.fixture(scope="module")
def crowd():
    """Vectors whose columns tell of one another, and of a label."""
    luck = torch.Generator().manual_seed(1)
    y = torch.arange(120) % 2
    hidden = torch.randn(120, 2, generator=luck) + 2.0 * y[:, None]
    x = torch.tanh(hidden @ torch.randn(2, 8, generator=luck)) + 0.1 * torch.randn(120, 8, generator=luck)
    return rg.Domain(x, ["a" if c else "b" for c in y.tolist()])


def test_what_is_watched_is_what_a_probe_says(crowd):
    network = fresh_network(crowd.unlabelled())
    watch = Watch.of(crowd.unlabelled(), crowd, network, Training())
    told = watch(network)
    right = 0
    for rows in watch.folds:
        kept = torch.tensor([i for i in range(120) if i not in rows.tolist()])
        model = LinearProbe().fit(Problem(target_labelled=crowd[kept]), network)
        right += sum(
            a == b
            for a, b in zip(
                model.predict(crowd[rows]), crowd[rows].classes.decode(crowd[rows].y), strict=True
            )
        )
    assert told["accuracy"] == pytest.approx(right / 120, abs=0.01)
    z = network.features(crowd.x).double()
    values = torch.linalg.svdvals(z - z.mean(0))
    p = values / values.sum()
    assert told["rank"] == pytest.approx(float((-(p * p.log()).sum()).exp()), rel=1e-3)


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


def test_collapse_is_said_in_words():
    fell = History(watched=[(0, {"rank": 40.0}), (10, {"rank": 2.0}), (20, {"rank": 1.1})])
    assert "fell from 40 to 1.1 (step 10)" in collapse(fell)[0]
    assert collapse(History(watched=[(0, {"rank": 40.0}), (10, {"rank": 30.0})])) == ()


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
