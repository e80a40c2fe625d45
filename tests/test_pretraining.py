"""Backbones from unlabelled samples: watched, chosen, judged."""

import time

import numpy as np
import pytest
import torch

import regraft as rg
from regraft.backbones import small_mlp
from regraft.candidates import Candidate
from regraft.intervals import Z_BOUND, Interval
from regraft.methods.features.linear_probe import LinearProbe
from regraft.pretext import Pretrained
from regraft.pretext_choice import Tried, expected, promising
from regraft.pretexts import PRETEXTS
from regraft.pretexts.contrastive.simclr import SimCLR
from regraft.pretexts.contrastive.vicreg import VICReg
from regraft.pretexts.prediction.rotation import Rotation
from regraft.pretraining import pretrain
from regraft.selection.choice import Result
from regraft.selection.scores.classes import ClassScores
from regraft.training import Training
from regraft.watch import Watch

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
    [taken] = [one for one in choice.tried if type(one.made.task) is type(done.made.task)]
    assert taken.probe.scores.value("accuracy") >= best - 0.03  # by gains alone: these are no pictures
    assert [row.candidate.name for row in choice.baselines] == [
        "LinearProbe (columns)",
        "LinearProbe, random weights (small mlp)",
    ]
    assert choice.verdict.outcome in ("helps", "no evidence", "hurts")
    assert str(choice.verdict) in str(done)
    assert done.to_json()["choice"]["tried"][-1]["task"] == type(done.made.task).__name__


@pytest.mark.parametrize("seed", [0, 1])
def test_the_network_before_it_learned_is_the_one_that_learned(crowd, seed):
    pool, few, training = crowd.unlabelled(), crowd[:60], rg.Training(seed=seed)
    done = pretrain(pool, "simclr", labelled=few, training=training, budget=0.2)
    before = done.choice.baselines[1].candidate.backbone
    assert done.made.history.watched[0] == (0, Watch.of(pool, few, before, training)(before))


@pytest.mark.parametrize("task", ["simclr", "auto"])
@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan")])
def test_a_budget_of_nothing_is_refused(crowd, task, budget):
    with pytest.raises(rg.InputError, match="give more than none, or leave it out"):
        pretrain(crowd.unlabelled(), task, labelled=crowd[:60], budget=budget)


def row(right, of):
    """What a probe says that is right of so many of the samples, those of `right`."""
    y = torch.arange(of) % 2
    p = torch.full((1, of, 2), 0.1)
    p[0, torch.arange(of), torch.where(right, y, 1 - y)] = 0.9
    scores = ClassScores.of(p, rg.Domain(torch.zeros(of, 1), y), 0.0)
    candidate = Candidate(LinearProbe(), rg.open_backbone(domain=rg.Domain([[0.0]])), "")
    return Result(candidate, scores, 0.0, p.log(), p[0], torch.ones(of, dtype=torch.bool))


def tried(task, right, of):
    made = Pretrained(rg.open_backbone(domain=rg.Domain([[0.0]])), task, 1, None, 0.0)
    return Tried(made, row(right, of))


@pytest.mark.parametrize(("labels", "taken"), [(40, "SimCLR"), (4000, "Rotation")])
def test_of_few_labels_what_usually_helps_is_taken_and_of_many_what_helped(labels, taken):
    """Rotation is ahead by five points, which 40 labels do not tell from nothing."""
    assert SimCLR.usual > Rotation.usual
    at = torch.randperm(labels, generator=torch.Generator().manual_seed(0)) / labels
    one, two = tried(SimCLR(), at < 0.55, labels), tried(Rotation(), at < 0.6, labels)
    before = row(at > 0.5, labels)
    chosen = promising([one, two], before, "accuracy", known=True)
    assert type(chosen.made.task).__name__ == taken
    assert promising([one, two], before, "accuracy", known=False) is two


def test_the_spread_that_gains_tell_is_that_of_a_random_effects_meta_analysis():
    """Against the numbers by loops, and a simulation in which the truth is known."""
    luck = np.random.default_rng(0)
    usual = luck.uniform(0, 0.08, 14)
    errors = {"expected": [], "measured": [], "usual": []}
    for _ in range(200):
        truth = usual + 0.02 + 0.01 * luck.standard_normal(14)
        deviation = luck.uniform(0.02, 0.04, 14)
        g = truth + deviation * luck.standard_normal(14)
        gains = [Interval(v, v - Z_BOUND * s, v + Z_BOUND * s) for v, s in zip(g, deviation, strict=True)]
        found = np.array(expected(gains, usual.tolist()))
        for name, guess in (("expected", found), ("measured", g), ("usual", usual + (g - usual).mean())):
            errors[name].append(np.square(guess - truth).mean())
    error = {name: np.mean(all_of) for name, all_of in errors.items()}
    assert error["expected"] < 0.3 * error["measured"]
    assert error["expected"] < 1.2 * error["usual"]
    weights = 1 / deviation**2
    mean = sum(w * (a - b) for w, a, b in zip(weights, g, usual, strict=True)) / sum(weights)
    q = sum(w * (a - b - mean) ** 2 for w, a, b in zip(weights, g, usual, strict=True))
    tau = max(0.0, (q - 13) / (sum(weights) - sum(weights**2) / sum(weights)))
    by_hand = usual + mean + tau / (tau + deviation**2) * (g - usual - mean)
    np.testing.assert_allclose(found, by_hand, atol=1e-5)


def test_tasks_that_cannot_be_made_of_the_samples_are_left_out_with_the_reason(monkeypatch):
    some = {name: PRETEXTS[name] for name in ("Rotation", "Colorization", "SlowFeatures")}
    monkeypatch.setattr("regraft.pretraining.PRETEXTS", some)
    x = torch.randint(256, (40, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labelled = rg.Domain(x[:20], ["a", "b"] * 10)
    choice = pretrain(rg.Domain(x), "auto", labelled=labelled, budget=0.2).choice
    assert type(choice.whole.made.task).__name__ == "Rotation"
    assert choice.tried == ()  # with nothing to choose from all of the budget is for one
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
    assert int(file.read_text().split()[0]) == one.made.steps
    again = pretrain(crowd.unlabelled(), VICReg(**QUICK), training=training, budget=0.2)
    assert again.made.steps == one.made.steps
    assert torch.equal(again.backbone.features(crowd.x), one.backbone.features(crowd.x))


def test_where_a_look_takes_long_there_are_few(crowd):
    def slow(_):
        time.sleep(0.05)
        return {"rank": 9.0}

    made = VICReg(**{**QUICK, "least_steps": 1}).pretrain(
        crowd.unlabelled(), small_mlp(8), budget=0.4, watch=slow
    )
    assert len(made.history.watched) <= 4


@pytest.mark.parametrize(
    ("pool", "backbone", "told"),
    [
        (torch.zeros(0, 4), None, "the pool has 0 samples: give at least 2"),
        (torch.zeros(1, 4), None, "the pool has 1 samples: give at least 2"),
        (torch.randn(20, 4), "vectors", "columns has no weights that could learn"),
    ],
)
def test_of_what_nothing_can_be_learned_is_one_line(pool, backbone, told):
    with pytest.raises(rg.InputError, match=told):
        pretrain(rg.Domain(pool), "vicreg", backbone)


def test_a_step_has_more_than_one_sample(crowd):
    with pytest.raises(rg.InputError, match="batch_size is 1"):
        pretrain(crowd.unlabelled(), VICReg(batch_size=1))


def test_what_diverges_is_not_handed_over(crowd):
    with pytest.raises(rg.InputError, match=r"VICReg diverged: .* give a lower rate"):
        pretrain(crowd.unlabelled(), VICReg(epochs=0, least_steps=60, rate=1e30))
