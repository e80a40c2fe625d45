import pytest

from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.fine_tuning.discriminative_rates import DiscriminativeRates
from regraft.problem import Problem
from regraft.selection import evaluate


@pytest.mark.parametrize("slower", [3.0, 10.0])
def test_each_earlier_stage_is_slower_by_the_factor(slower):
    schedule = DiscriminativeRates(slower=slower, head_first=0.2).schedule(4)
    assert schedule.starts == (0.2,) * 4
    assert [schedule.highest(i) for i in range(4)] == pytest.approx([5e-4 / slower**i for i in (3, 2, 1, 0)])


def test_it_repairs_features_that_a_probe_cannot(spoiled, fresh):
    train, held_out = Problem(target_labelled=fresh[:200]), fresh[200:]
    probe = evaluate(LinearProbe().fit(train, spoiled), held_out).value("accuracy")
    tuned = evaluate(DiscriminativeRates(stage_rate=1e-2).fit(train, spoiled), held_out).value("accuracy")
    assert tuned > probe + 0.05
