"""Reasons not to take a candidate."""

import numpy as np
import pytest
import torch

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.output import Classes
from regraft.selection.label_free import collapse
from regraft.selection.label_free.collapse import classes_told, dependence


@pytest.fixture
def said(trial, sure):
    """said(of the target, k) -> a trial of somebody who is sure, and right about the source."""

    def made(labels, k, right=1.0, held_out=300):
        y = torch.arange(held_out) % k
        told = torch.where(torch.arange(held_out) < right * held_out, y, (y + 1) % k)
        names = Classes(tuple("abcdefghij"[:k]))
        held = Domain(torch.zeros(held_out, 1), y, names)
        return trial(of_target=sure(labels, k), of_held_out=sure(told, k), held_out=held)

    return made


def test_a_sound_candidate_gives_no_reason(said):
    one = said([0, 1, 2, 3] * 20, 4)
    assert collapse(one) == []
    assert collapse(one, one) == []


def test_one_class_for_everything(said):
    reasons = collapse(said([2] * 80, 4))
    assert reasons == [
        "it tells 1.0 classes of the target, counted by how often, and 4.0 are expected",
        "it never says a, b, d, which should be in the target",
        "what it says of the target hardly depends on the sample",
    ]


def test_two_classes_of_ten_are_too_few_and_four_are_not(said):
    assert any("it tells" in reason for reason in collapse(said([0, 1] * 50, 10)))
    assert not any("it tells" in reason for reason in collapse(said([0, 1, 2, 3] * 25, 10)))


def test_who_expects_few_classes_finds_few(said):
    one = said([0] * 76 + [1] * 4, 4)
    assert len(collapse(one)) == 2
    assert collapse(one, expected=torch.tensor([0.9, 0.1, 0.0, 0.0])) == []


def test_what_source_only_misses_as_well_is_no_fault(said):
    one, better = said([0, 1, 2] * 27, 4), said([0, 1, 2, 3] * 20, 4)
    assert collapse(one, one) == []
    assert collapse(one, better) == ["it never says d, which should be in the target"]


@pytest.mark.parametrize(("m", "k"), [(1, 10), (2, 10), (6, 2)])
def test_few_samples_prove_no_collapse(said, m, k):
    assert collapse(said([1] * m, k)) == []
    assert collapse(said([1] * (4 * m + 4), k))


def test_answers_that_do_not_depend_on_the_sample(trial):
    flat = (0.05 * trial(m=80).of_target).log_softmax(1)
    reasons = collapse(trial(of_target=flat, of_held_out=3 * trial(h=60).held_out.said))
    assert reasons == ["what it says of the target hardly depends on the sample"]


def test_dependence_is_the_share_of_the_largest_variance(trial):
    p = trial().of_target.exp().numpy()
    mean = p.mean(0)
    certain = np.eye(3)
    most = sum(mean[c] * ((certain[c] - mean) ** 2).sum() for c in range(3))
    assert dependence(trial().of_target) == pytest.approx(p.var(0).sum() / most)


def test_the_number_of_classes_is_that_of_equally_frequent_ones():
    assert classes_told(torch.tensor([1, 1, 1, 1])) == pytest.approx(4)
    assert classes_told(torch.tensor([9, 1])) == pytest.approx(np.exp(-0.9 * np.log(0.9) - 0.1 * np.log(0.1)))


def test_a_proven_loss_of_the_source(said):
    everything = [0, 1, 2, 3] * 20
    baseline = said(everything, 4)
    (reason,) = collapse(said(everything, 4, right=0.9), baseline)
    assert reason.startswith("it lost the source: −10.0 points")
    assert collapse(said(everything, 4, right=0.985), baseline) == []  # too little
    few, of_few = said(everything, 4, right=0.9, held_out=10), said(everything, 4, held_out=10)
    assert collapse(few, of_few) == []  # one of ten proves nothing


def test_trials_of_two_splits_are_not_compared(said):
    with pytest.raises(InputError, match="two splits"):
        collapse(said([0, 1] * 9, 2), said([0, 1] * 9, 2, held_out=10))
