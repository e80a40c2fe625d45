import pytest

from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.fine_tuning.fine_tune import FineTune
from regraft.problem import Problem
from regraft.schedule import warm_then_cosine
from regraft.selection import evaluate


def test_the_head_learns_first_and_then_the_stages():
    recipe = FineTune()
    early, late = recipe.schedule(3)(0.05), recipe.schedule(3)(0.5)
    assert [m.trainable for m in early] == [False, False, False, True]
    assert [m.trainable for m in late] == [True] * 4
    rest = (0.5 - 0.1) / 0.9
    assert late[0].rate == pytest.approx(recipe.stage_rate * warm_then_cosine(rest))
    assert late[3].rate == pytest.approx(recipe.rate * warm_then_cosine(0.5))
    assert not any(m.statistics for m in early + late)


def test_repairs_features_that_a_probe_cannot(spoiled, fresh):
    train, held_out = Problem(target_labelled=fresh[:200]), fresh[200:]
    probe = evaluate(LinearProbe().fit(train, spoiled), held_out).value("accuracy")
    tuned = evaluate(FineTune(stage_rate=1e-2).fit(train, spoiled), held_out).value("accuracy")
    assert tuned > probe + 0.05


def test_steps_back_to_the_lowest_held_out_loss(problem, network, fresh):
    """A rate that destroys the network cannot make the result worse than its start on what watches."""
    wild = FineTune(rate=1.0, stage_rate=1.0, least_steps=40).fit(problem, network)
    assert wild.provenance["best_step"] < 40
    assert evaluate(wild, fresh).value("accuracy") > 0.75
