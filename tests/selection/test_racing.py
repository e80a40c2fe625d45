"""Who is judged to the end, and who is not."""

from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np
import pytest
import torch

from regraft import METHODS
from regraft.backbone import Backbone
from regraft.candidates import Candidate, Plan
from regraft.domain import Domain
from regraft.method import Method
from regraft.model import Model
from regraft.output import Classes
from regraft.problem import Problem
from regraft.selection import compare
from regraft.selection.choice import Result
from regraft.selection.expectation import Expectation
from regraft.selection.racing import GivenUp, Race
from regraft.selection.scores import scores_of

N, FOLDS = 60, 5
Y = torch.arange(N) % 2
LABELLED = Domain(torch.zeros(N, 1), Y, Classes(("crow", "owl")))
EVERY = torch.ones(N, dtype=torch.bool)


def said(wrong):
    """Scores that are wrong for the first so many samples."""
    logits = torch.nn.functional.one_hot(Y, 2).double()
    logits[:wrong] = logits[:wrong].flip(1)
    return logits


def race(wrong):
    logits = said(wrong)[None]
    scores = scores_of(logits.softmax(2), LABELLED)
    row = Candidate(METHODS["LinearProbe"](), Backbone([], name="toy"), "")
    return Race(Result(row, scores, 0.0, logits, logits.softmax(2).mean(0), EVERY), "accuracy")


def folds(count):
    return [torch.arange(N)[i::FOLDS] for i in range(count)]


@pytest.mark.parametrize(("wrong", "given_up_after"), [(0, None), (9, None), (10, None), (12, 2), (20, 1)])
def test_what_is_unlikely_to_end_ahead_is_given_up(wrong, given_up_after):
    """The rival is wrong for the first 9 of 60 samples."""
    for done in range(1, FOLDS + 1):
        if done == given_up_after:
            with pytest.raises(
                GivenUp, match=rf"given up after {done} of 5 folds: accuracy .* of LinearProbe"
            ):
                race(9).check(said(wrong), folds(done), FOLDS, LABELLED, EVERY)
            return
        race(9).check(said(wrong), folds(done), FOLDS, LABELLED, EVERY)


def test_it_is_given_up_where_four_of_five_ways_to_go_on_end_behind():
    """Against the Bayesian bootstrap: shares drawn from what is seen, and the other folds drawn by them."""
    n, done, alone = 400, 160, 16  # the change alone is right about 16 of 160 samples
    y = torch.zeros(n, dtype=torch.long)
    labelled, judged = (
        Domain(y[:, None].double(), y, Classes(("crow", "owl"))),
        torch.ones(n, dtype=torch.bool),
    )
    row, luck = race(0).rival, np.random.default_rng(0)

    def stays(behind):
        ours, theirs = torch.tensor([[1.0, 0.0]]).repeat(n, 1), torch.tensor([[1.0, 0.0]]).repeat(n, 1)
        theirs[:alone] = theirs[:alone].flip(1)
        ours[alone : 2 * alone + behind] = ours[alone : 2 * alone + behind].flip(1)
        rival = Race(Result(row.candidate, row.scores, 0.0, theirs[None], theirs, judged), "accuracy")
        try:
            rival.check(ours, [torch.arange(done)], FOLDS, labelled, judged)
        except GivenUp:
            return False
        return True

    def chance(behind):
        seen = (alone, alone + behind, done - 2 * alone - behind)
        rest = luck.multinomial(n - done, luck.dirichlet(seen, 100_000))
        final = rest[:, 0] - rest[:, 1] - behind
        return np.mean(final > 0) + np.mean(final == 0) / 2

    last = max(behind for behind in range(30) if stays(behind))
    assert chance(last + 1) < 0.2 < chance(last)
    assert not stays(last + 1)


def test_only_the_samples_of_these_folds_tell():
    """Behind on the whole, and ahead where it was asked."""
    ours, theirs = said(0), said(0)
    first, rest = torch.cat(folds(2)), torch.cat([torch.arange(N)[i::FOLDS] for i in range(2, FOLDS)])
    theirs[first[:3]] = theirs[first[:3]].flip(1)
    ours[rest] = ours[rest].flip(1)
    rival = race(0)
    behind = Race(
        Result(rival.rival.candidate, rival.rival.scores, 0.0, theirs[None], theirs, EVERY), "accuracy"
    )
    behind.check(ours, folds(2), FOLDS, LABELLED, EVERY)


@pytest.mark.parametrize(("wrong", "won"), [(0, True), (6, True), (8, False), (9, False), (20, False)])
def test_a_change_has_paid_where_it_is_likely_to_be_better(wrong, won):
    assert race(9).won_by(race(wrong).rival) is won


def test_what_may_be_handed_over_unproven_is_kept_as_long_as_it_may_end_likely_to_help():
    """12 wrong of 60 samples against 9: too few folds tell that from what such pools usually bring."""
    with pytest.raises(GivenUp):
        race(9).check(said(12), folds(2), FOLDS, LABELLED, EVERY)
    trusted = replace(race(9), usual=Expectation.of_pools(0.6, 60))
    trusted.check(said(12), folds(2), FOLDS, LABELLED, EVERY)
    with pytest.raises(GivenUp):
        trusted.check(said(30), folds(2), FOLDS, LABELLED, EVERY)


def test_the_last_fold_is_not_given_up():
    race(0).check(said(20), folds(FOLDS), FOLDS, LABELLED, EVERY)


@final
@dataclass(frozen=True, kw_only=True)
class Spoils(Method):
    """Gives the labels of the other class, from as many stages as it says."""

    map: ClassVar[tuple[str, ...]] = ()
    reference: ClassVar[str] = "none"
    stages: int = 1

    def lowest_trained(self, backbone):
        return len(backbone) - self.stages

    def learn(self, problem, backbone, training):
        model = METHODS["NearestMean"]().learn(problem, backbone[len(backbone) :], training)
        seen = problem.domains["target_labelled"]
        assert isinstance(model, Model)
        return METHODS["Majority"]().learn(
            problem.restricted(torch.arange(len(seen))[:3]), backbone, training
        )


@pytest.fixture
def tried(fresh, network):
    problem = Problem(target_labelled=fresh[:80])
    probe = Candidate(METHODS["LinearProbe"](), network, "what to beat")

    def study(asked):
        rows = [Candidate(Spoils(stages=k), network, "does not pay", asked=asked) for k in (2, 1)]
        return compare(problem, planned=Plan((*rows, probe)))

    return study


def test_a_change_that_does_not_pay_is_given_up_and_larger_ones_not_tried(tried):
    study = tried(asked=False)
    assert [type(r.candidate.method).__name__ for r in study.results] == ["LinearProbe"]
    small, large = (reason for _, reason in study.left_out)
    assert small.startswith("given up after 1 of 5 folds")
    assert large == "training fewer stages did not pay"


def test_what_the_user_asks_for_is_judged_to_the_end(tried):
    assert len(tried(asked=True).results) == 3


@pytest.mark.parametrize(("fold", "lost"), [(100, 0.02), (50, 0.06), (20, 0.16)])
def test_how_many_changes_that_win_four_points_are_lost(fold, lost):
    """Seven in a hundred samples told right by the change alone, three by the rival alone."""
    assert given_up(fold, 0.07, 0.03)[0] == pytest.approx(lost, abs=0.05)


@pytest.mark.parametrize(("fold", "judged"), [(100, 1.5), (50, 1.9), (28, 2.3)])
def test_how_many_folds_are_spent_on_changes_that_lose_four_points(fold, judged):
    assert given_up(fold, 0.03, 0.07)[1] == pytest.approx(judged, abs=0.3)


def given_up(fold, ours_alone, theirs_alone, tried=120):
    """The share of changes that is given up, and the folds that are judged on average."""
    luck = torch.Generator().manual_seed(0)
    y = torch.zeros(FOLDS * fold, dtype=torch.long)
    labelled, judged = (
        Domain(y[:, None].double(), y, Classes(("crow", "owl"))),
        torch.ones(len(y), dtype=torch.bool),
    )
    row, lost, spent = race(0).rival, 0, 0
    for _ in range(tried):
        drawn = torch.rand(len(y), generator=luck)
        ours, theirs = (
            torch.stack([1.0 - wrong, 0.0 + wrong], 1)
            for wrong in ((drawn > 1 - theirs_alone).double(), (drawn < ours_alone).double())
        )
        rival = Race(Result(row.candidate, row.scores, 0.0, theirs[None], theirs, judged), "accuracy")
        for done in range(1, FOLDS + 1):
            spent += 1
            try:
                rival.check(ours, [torch.arange(done * fold)], FOLDS, labelled, judged)
            except GivenUp:
                lost += 1
                break
    return lost / tried, spent / tried
