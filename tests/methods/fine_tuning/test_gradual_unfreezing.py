import pytest

from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.fine_tuning.gradual_unfreezing import GradualUnfreezing
from regraft.problem import Problem
from regraft.selection import evaluate


def test_stages_join_from_the_top():
    schedule = GradualUnfreezing(head_first=0.1, until=0.7, slower=3.0).schedule(4)
    assert schedule.starts == pytest.approx((0.7, 0.5, 0.3, 0.1))
    learning = [sum(mode.trainable for mode in schedule(p)) for p in (0.0, 0.2, 0.4, 0.6, 0.8)]
    assert learning == [1, 2, 3, 4, 5]
    assert [schedule.highest(i) for i in range(4)] == pytest.approx([5e-4 / 3**i for i in (3, 2, 1, 0)])


def test_it_repairs_features_that_a_probe_cannot(spoiled, fresh):
    train, held_out = Problem(target_labelled=fresh[:200]), fresh[200:]
    probe = evaluate(LinearProbe().fit(train, spoiled), held_out).value("accuracy")
    tuned = evaluate(GradualUnfreezing(stage_rate=1e-2).fit(train, spoiled), held_out).value("accuracy")
    assert tuned > probe + 0.05
