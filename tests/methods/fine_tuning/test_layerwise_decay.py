import pytest

from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.fine_tuning.layerwise_decay import LayerwiseDecay
from regraft.problem import Problem
from regraft.selection import evaluate


def test_nothing_waits_and_each_stage_has_a_share_of_the_next_ones_rate():
    schedule = LayerwiseDecay(decay=0.5).schedule(4)
    assert schedule.starts == (0.0,) * 4
    assert [schedule.highest(i) for i in range(4)] == pytest.approx([5e-4 * 0.5**i for i in (3, 2, 1, 0)])


def test_it_repairs_features_that_a_probe_cannot(spoiled, fresh):
    train, held_out = Problem(target_labelled=fresh[:200]), fresh[200:]
    probe = evaluate(LinearProbe().fit(train, spoiled), held_out).value("accuracy")
    tuned = evaluate(LayerwiseDecay(stage_rate=1e-2).fit(train, spoiled), held_out).value("accuracy")
    assert tuned > probe + 0.05
