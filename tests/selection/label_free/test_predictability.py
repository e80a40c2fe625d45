"""How well answers foretell each other."""

import pytest
import torch
from sklearn.linear_model import RidgeClassifier

from regraft.folds import complement, dealt
from regraft.selection.label_free import Predictability


@pytest.fixture
def two_crowds():
    luck = torch.Generator().manual_seed(0)
    y = torch.arange(90) % 2
    return torch.randn(90, 5, generator=luck) + 3 * y[:, None], y


def test_it_is_the_accuracy_of_ridge_on_held_out_answers(trial, sure, two_crowds):
    x, y = two_crowds
    said = torch.where(torch.arange(90) % 7 == 0, 1 - y, y)
    right = 0
    for fold in dealt(said, 3, seed=0):
        rest = complement(fold, 90)
        alpha = float((x[rest] - x[rest].mean(0)).square().sum() / 5)
        ridge = RidgeClassifier(alpha=alpha).fit(x[rest], said[rest])
        right += int((torch.from_numpy(ridge.predict(x[fold])) == said[fold]).sum())
    usual = max(said.double().mean().item(), 1 - said.double().mean().item())
    score = Predictability()(trial(of_target=sure(said, 2), features=x))
    assert score == pytest.approx((right / 90 - usual) / (1 - usual), abs=0.1)


def test_prefers_the_gap_between_crowds_to_a_border_through_one(trial, sure, two_crowds):
    x, y = two_crowds
    through = (torch.randn(90, generator=torch.Generator().manual_seed(1)) + x[:, 0] > 0).long()
    scores = [Predictability()(trial(of_target=sure(said, 2), features=x)) for said in (y, through)]
    assert scores[0] > 0.95 > scores[1] + 0.1


def test_one_answer_for_everything_is_worth_nothing(trial, sure, two_crowds):
    x, y = two_crowds
    assert Predictability()(trial(of_target=sure(0 * y, 2), features=x)) == 0
