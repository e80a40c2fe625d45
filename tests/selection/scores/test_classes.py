import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, log_loss, recall_score

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.output import Classes
from regraft.selection import metric_named, scores_of


@pytest.fixture
def predicted():
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 3, (60,), generator=generator)
    y[:50] = torch.randint(0, 2, (50,), generator=generator)
    chances = torch.rand(60, 3, generator=generator, dtype=torch.float64)
    labelled = Domain(torch.zeros(60, 1), [["crow", "emu", "owl"][c] for c in y])
    return labelled, chances / chances.sum(1, keepdim=True)


def test_agree_with_scikit_learn(predicted):
    labelled, chances = predicted
    scores, y, guess = scores_of(chances[None], labelled), labelled.y.numpy(), chances.argmax(1).numpy()
    assert scores.value("accuracy") == pytest.approx(accuracy_score(y, guess))
    assert scores.value("balanced_accuracy") == pytest.approx(balanced_accuracy_score(y, guess))
    assert scores.loss == pytest.approx(log_loss(y, chances.numpy()))
    np.testing.assert_array_equal(scores.confusion(), confusion_matrix(y, guess))
    recalls = [r.value for r in scores.recalls().values()]
    np.testing.assert_allclose(recalls, recall_score(y, guess, average=None))


def test_repeats_are_averaged_and_untested_rows_left_out(predicted):
    labelled, chances = predicted
    judged = torch.arange(60) > 0
    scores = scores_of(torch.stack([chances, chances.flip(1)]), labelled, judged)
    right = [(p.argmax(1) == labelled.y).double() for p in (chances, chances.flip(1))]
    torch.testing.assert_close(scores.correct, (right[0] + right[1])[1:] / 2)


def test_a_prediction_that_is_no_number_is_wrong(predicted):
    labelled, chances = predicted
    broken = chances.clone()
    broken[:30] = torch.nan
    scores = scores_of(broken[None], labelled)
    assert len(scores.y) == 60
    assert scores.correct[:30].sum() == 0
    assert scores.loss > 10


def test_a_gain_is_paired_on_the_common_repeats(predicted):
    labelled, chances = predicted
    many, one = (
        scores_of(torch.stack([chances, chances.flip(1)]), labelled),
        scores_of(chances[None], labelled),
    )
    assert many.gain_over(one, "accuracy").value == 0.0


def test_gain_is_the_difference_of_the_metric(predicted):
    labelled, chances = predicted
    ours, theirs = scores_of(chances[None], labelled), scores_of(chances.flip(1)[None], labelled)
    for metric in ("accuracy", "balanced_accuracy"):
        gain = ours.gain_over(theirs, metric)
        assert gain.value == pytest.approx(ours.value(metric) - theirs.value(metric))
        assert gain.low <= gain.value <= gain.high


def test_groups_widen_the_interval(predicted):
    labelled, chances = predicted
    alike = (chances.argmax(1) != labelled.y).long().argsort()  # the right ones together
    grouped = labelled.with_(group=torch.arange(60)[alike.argsort()] // 6)
    narrow, wide = (scores_of(chances[None], d).interval("accuracy") for d in (labelled, grouped))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    assert wide.value == narrow.value


def test_unknown_metric_is_named():
    with pytest.raises(InputError, match="balanced_accuracy"):
        metric_named("balanced_acuracy", Classes(("crow", "owl")))
