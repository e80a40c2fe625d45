import numpy as np
import pytest
import torch
from sklearn.metrics import (
    d2_absolute_error_score,
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from regraft.domain import Domain
from regraft.output import Real
from regraft.selection import scores_of


def task(n=60, k=2, seed=0, noise=0.5):
    luck = np.random.default_rng(seed)
    y = luck.normal(size=(n, k)) * [1.0, 100.0][:k] + [0.0, 1000.0][:k]
    said = y + noise * luck.normal(size=(n, k)) * [1.0, 100.0][:k]
    return Domain(np.zeros((n, 1)), y, Real(("a", "b")[:k], ("m", "")[:k])), torch.from_numpy(said)


def test_agree_with_scikit_learn():
    labelled, said = task()
    scores, y = scores_of(said[None], labelled), labelled.y.numpy()
    assert scores.value("r2") == pytest.approx(r2_score(y, said))
    assert scores.value("d2") == pytest.approx(d2_absolute_error_score(y, said))
    mae = mean_absolute_error(y, said, multioutput="raw_values")
    assert [i.value for i in scores.absolute().values()] == pytest.approx(list(mae))
    rmse = root_mean_squared_error(y, said, multioutput="raw_values")
    assert [i.value for i in scores.root_mean_square().values()] == pytest.approx(list(rmse))
    assert list(scores.of_each().values()) == pytest.approx(list(r2_score(y, said, multioutput="raw_values")))


def test_unknown_entries_count_for_nothing():
    labelled, said = task()
    y = labelled.y.clone()
    y[:20, 1] = torch.nan
    partly = Domain(labelled.x, y, labelled.output)
    scores = scores_of(said[None], partly)
    expected = (r2_score(y[:, 0], said[:, 0]) + r2_score(y[20:, 1], said[20:, 1])) / 2
    assert scores.value("r2") == pytest.approx(expected)
    said[:20, 1] = 1e6
    assert scores_of(said[None], partly).value("r2") == pytest.approx(expected)


def test_what_says_the_mean_has_r2_0_without_doubt():
    labelled, _ = task(k=1)
    said = labelled.y.mean().expand(1, 60, 1)
    interval = scores_of(said, labelled).interval("r2")
    assert interval.value == pytest.approx(0.0)
    assert interval.high - interval.low < 0.01


def test_a_gain_is_the_difference_and_paired():
    labelled, said = task(k=1)
    near, far = scores_of(said[None], labelled), scores_of((said + 0.3)[None], labelled)
    for metric in ("r2", "d2"):
        gain = near.gain_over(far, metric)
        assert gain.value == pytest.approx(near.value(metric) - far.value(metric))
        assert gain.low <= gain.value <= gain.high
    assert near.gain_over(near, "r2").low == near.gain_over(near, "r2").high == 0.0


def test_a_prediction_that_is_no_number_is_far_off():
    labelled, said = task(k=1)
    broken = said.clone()
    broken[0] = torch.nan
    scores = scores_of(broken[None], labelled)
    assert np.isfinite(scores.value("r2"))
    assert scores.value("r2") < scores_of(said[None], labelled).value("r2")
    assert int(scores.off().argmax()) == 0


def test_groups_widen_the_interval():
    labelled, said = task(k=1)
    group = (said - labelled.y).squeeze(1).argsort().argsort() // 6  # errors of a group are alike
    alone, grouped = (
        scores_of(said[None], d).interval("d2") for d in (labelled, labelled.with_(group=group))
    )
    assert grouped.high - grouped.low > 1.2 * (alone.high - alone.low)


@pytest.mark.parametrize("n", [25, 100])
def test_the_interval_holds_the_truth(n):
    """One model on fresh samples; noise as large as the signal, so that R² is one half."""
    held = 0
    for seed in range(300):
        luck = np.random.default_rng(seed)
        signal = luck.normal(size=(n, 1))
        y = signal + luck.normal(size=(n, 1))
        interval = scores_of(torch.from_numpy(signal)[None], Domain(signal, y, Real())).interval("r2")
        held += interval.low <= 0.5 <= interval.high
    assert held / 300 > 0.91


def test_it_is_told_in_units():
    labelled, said = task()
    told = scores_of(said[None], labelled).measures()
    assert told["MAE of a"].endswith("] m")
    assert set(told) == {"R²", "D²", "MAE of a", "MAE of b", "RMSE of a", "RMSE of b"}


def test_a_number_of_which_nothing_is_known_has_no_say():
    labelled, said = task()
    y = labelled.y.clone()
    y[:, 1] = torch.nan
    scores = scores_of(said[None], Domain(labelled.x, y, labelled.output))
    assert scores.value("r2") == pytest.approx(r2_score(y[:, 0], said[:, 0]))
    assert set(scores.measures()) == {"R²", "D²", "MAE of a", "RMSE of a"}
    assert scores.to_json()["r2_of_each"]["b"] is None
    assert scores.columns()["worst R²"].endswith(" a")
