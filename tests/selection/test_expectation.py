"""What is expected of a gain, against draws."""

import numpy as np
import pytest

from regraft.intervals import Z_BOUND, Interval
from regraft.selection.expectation import Expectation

USUAL, FEW_ERRORS = Expectation.of_pools(0.6, 1000), Expectation.of_pools(0.97, 1000)


def measured(gain, error):
    return Interval(gain, gain - Z_BOUND * error, gain + Z_BOUND * error)


@pytest.mark.parametrize("usual", [USUAL, FEW_ERRORS])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.8])
@pytest.mark.parametrize("error", [0.01, 0.03])
def test_the_chance_to_end_likely_is_that_of_what_is_drawn(usual, share, error):
    """True gains are drawn, weighted by how well they fit to what was seen, and the rest is drawn by them."""
    luck, draws = np.random.default_rng(0), 20_000
    truth = luck.normal(usual.mean, usual.spread, draws)
    rest = luck.normal(truth, error * np.sqrt(share / (1 - share)))

    def chance(seen):
        weight = np.exp(-(((seen - truth) / error) ** 2) / 2)
        ends = share * seen + (1 - share) * rest
        told = [usual.likely(measured(end, error * share**0.5)) for end in ends]
        return np.average(told, weights=weight)

    steps = np.arange(-150, 10) * error / 10
    last = min(seen for seen in steps if not usual.hopeless(measured(seen, error), share))
    assert chance(last) == pytest.approx(0.2, abs=0.06)


@pytest.mark.parametrize("share", [0.2, 0.6, 1.0])
@pytest.mark.parametrize("gain", [-0.2, -0.02, 0.0, 0.02])
def test_where_nothing_is_known_the_samples_that_are_done_tell_of_the_others(share, gain):
    told = Expectation()
    assert told.hopeless(measured(gain, 0.03), share) is (gain + 0.8416 * 0.03 * (1 - share) ** 0.5 < 0)
    assert told.likely(measured(gain, 0.03)) is (gain > 0)


def test_no_pool_takes_away_more_errors_than_there_are():
    """With one error in a hundred, a loss of one point that is within the noise is what pools look like."""
    behind = measured(-0.01, 0.017)
    assert not USUAL.likely(behind)
    assert Expectation.of_pools(0.98, 100).likely(behind)
    assert not Expectation.of_pools(0.98, 100).likely(measured(-0.01, 0.003))


def test_no_error_seen_does_not_mean_that_there_are_none():
    assert Expectation.of_pools(1.0, 40).mean == pytest.approx(0.04 / 42 / 0.2)
    assert Expectation.of_pools(1.0, 10_000_000).likely(measured(0.001, 0.001))


def test_scores_below_zero_are_as_good_as_none():
    assert Expectation.of_pools(-3.0, 40) == Expectation.of_pools(0.0, 40)
