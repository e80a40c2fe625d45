"""From a problem to trials, and from trials to scores."""

import math
from dataclasses import replace

import pytest
import torch

from regraft import METHODS
from regraft.backbones import lenet, vectors
from regraft.candidates import Candidate
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.features import Store
from regraft.folds import hold_out
from regraft.output import Classes, Real
from regraft.problem import Problem
from regraft.selection.label_free import (
    LABEL_FREE,
    ClassAMI,
    Entropy,
    MixVal,
    NuclearNorm,
    ReverseValidation,
    SourceAccuracy,
    Trials,
    collapse,
)
from regraft.training import Training


def candidate(name, network, **recipe):
    return Candidate(METHODS[name](**recipe), network, "")


@pytest.fixture
def two(network):
    return [candidate(name, network) for name in ("SourceOnly", "CORAL")]


def scores(problem, candidates, seed=0):
    """Every judge of every candidate."""
    tried = Trials(problem).on_split(candidates, seed).tried
    return [[judge(trial) for judge in LABEL_FREE] for _, trial in tried]


def test_every_judge_has_a_number_for_every_candidate(away, two):
    told = scores(away, two)
    assert len(told) == 2
    assert all(math.isfinite(score) for row in told for score in row)
    assert told == scores(away, two)
    assert told != scores(away, two, seed=1)


def test_without_a_network_too(away):
    told = scores(away, [candidate(name, vectors()) for name in ("SourceOnly", "CORAL", "Discriminative")])
    assert all(math.isfinite(score) for row in told for score in row)


def test_labels_of_the_target_cannot_matter(away, two, fresh):
    def with_labels(y):
        return Problem(source=away.source, target=fresh[:50].with_(y=y).unlabelled())

    y = fresh.y[:50]
    assert scores(with_labels(y), two) == scores(with_labels(y.flip(0)), two)
    assert scores(with_labels(y), two) == scores(
        Problem(source=away.source, target=fresh[:50].unlabelled(), target_labelled=fresh[50:60]), two
    )


def test_a_trial_is_the_recipe_on_four_fifths_of_the_source(away, network):
    recipe = METHODS["CORAL"]()
    ((_, trial),) = Trials(away).on_split([Candidate(recipe, network, "")], seed=3).tried
    kept, held_out = hold_out(away.source, 0.2, 3)
    assert len(held_out) == 12
    both = recipe.fit_both(away.restricted(kept, "source"), network, Training())
    near = {"atol": 1e-4, "rtol": 1e-4}  # a batch of other samples rounds otherwise
    torch.testing.assert_close(trial.of_target, both.target.logits(away.target).log_softmax(1), **near)
    torch.testing.assert_close(
        trial.held_out.said, both.source.logits(away.source.x[held_out]).log_softmax(1), **near
    )
    assert torch.equal(trial.held_out.samples.y, away.source.y[held_out])
    torch.testing.assert_close(trial.features, network.eval()(away.target.x).flatten(1))


def test_groups_stay_together_and_classes_are_on_both_sides(away, two):
    source = away.source.with_(group=torch.arange(60) // 4)
    for _, trial in Trials(Problem(source=source, target=away.target)).on_split(two, seed=0).tried:
        assert not set(trial.held_out.samples.group.tolist()) & set(trial.problem.source.group.tolist())
        assert set(trial.held_out.samples.y.tolist()) == {0, 1}


def test_the_ratio_is_that_of_the_densities(network):
    luck = torch.Generator().manual_seed(0)
    x = torch.rand(400, 1, generator=luck)
    source = Domain(x, ["high" if v > 0.5 else "low" for v in x[:, 0]])
    target = Domain(x[torch.rand(400, generator=luck) < x[:, 0] ** 2])
    trials = Trials(Problem(source=source, target=target))
    ((_, trial),) = trials.on_split([candidate("SourceOnly", vectors())], seed=0).tried
    expected = 3 * trial.held_out.samples.x[:, 0].double() ** 2
    assert torch.corrcoef(torch.stack([trial.held_out.ratio, expected]))[0, 1] > 0.97
    assert (trial.held_out.ratio - expected).abs().mean() < 0.2


def test_rivals_are_everybody_else(away, two):
    (_, first), (_, second) = Trials(away).on_split(two, seed=0).tried
    assert [torch.equal(other, second.of_target) for other in first.others] == [True]
    assert [torch.equal(other, first.of_target) for other in second.others] == [True]


def test_who_cannot_be_tried_is_left_out_with_the_reason(away, two, network):
    found = Trials(away).on_split([*two, candidate("LinearProbe", network)], seed=0)
    assert len(found.tried) == 2
    ((name, reason),) = found.left_out
    assert name == "LinearProbe (rings)"
    assert "needs target_labelled" in reason


def test_splits_share_what_the_network_shows(away, two):
    store = Store()
    trials = Trials(away, store=store)
    trials.on_split(two, seed=0)
    computed = store.computed
    (_, a), (_, b) = trials.on_split(two, seed=1).tried
    assert store.computed == computed
    assert a.features is b.features


def test_under_label_shift_judges_err_as_they_warn():
    """CORAL spreads a target of nearly one class over all: a third of its answers is wrong."""
    middle = 2 * torch.randn(3, 10, generator=torch.Generator().manual_seed(7))

    def birds(counts, seed):
        y = torch.arange(3).repeat_interleave(torch.tensor(counts))
        x = middle[y] + torch.randn(len(y), 10, generator=torch.Generator().manual_seed(seed))
        return Domain(x, y, Classes(("crow", "emu", "owl")))

    source, target = birds([60, 60, 60], 0), birds([150, 20, 10], 1)
    pair = [candidate(name, vectors()) for name in ("SourceOnly", "CORAL")]
    problem = Problem(source=source, target=target.unlabelled())
    (_, right), (_, wrong) = Trials(problem).on_split(pair, seed=0).tried
    accuracy = [(one.of_target.argmax(1) == target.y).double().mean() for one in (right, wrong)]
    assert accuracy[0] > 0.95
    assert accuracy[1] < 0.8
    told = {type(judge): judge(right) - judge(wrong) for judge in LABEL_FREE}
    assert told[NuclearNorm] < 0
    assert told[ReverseValidation] <= 0
    assert told[SourceAccuracy] <= 0
    assert told[ClassAMI] > 0.3
    assert told[Entropy] > 0


def test_networks_that_are_trained_are_tried_as_well(away, network):
    quick = {"epochs": 1, "least_steps": 12}
    found = Trials(away).on_split(
        [candidate("SourceOnly", network), candidate("DANN", network, **quick)], seed=0
    )
    baseline, trained = (trial for _, trial in found.tried)
    assert trained.problem.target.x.shape == (52, 8)
    assert all(math.isfinite(judge(trained)) for judge in LABEL_FREE)
    assert collapse(baseline, baseline) == []


def test_changed_copies_go_both_ways(pictures_network, discs):
    """What learns from changed copies behind frozen stages finds them on the way back."""
    pictures = [discs(40, seed).x for seed in (0, 1)]
    source = Domain(pictures[0], ["plain", "dark"] * 20)
    source = source.with_(x=torch.where((source.y == 0)[:, None, None], source.x // 2, source.x))
    tuned = candidate(
        "SourceTuned", pictures_network, epochs=1, least_steps=12, flip=True, views=2, held_out=0.0
    )
    problem = Problem(source=source, target=Domain(pictures[1]))
    ((_, trial),) = Trials(problem).on_split([tuned], seed=0).tried
    assert trial.problem.target.views.shape[:2] == (40, 2)
    trial = replace(trial, of_target=torch.eye(2)[torch.arange(40) % 2].log())  # of both classes, surely
    assert math.isfinite(ReverseValidation()(trial))
    assert math.isfinite(MixVal()(trial))


def test_says_what_is_missing(away):
    with pytest.raises(InputError, match="there is no source"):
        Trials(Problem(target=away.target, target_labelled=away.target_labelled))
    numbers = Domain(torch.rand(9, 1), torch.rand(9, 1), Real(("size",)))
    few = Domain(torch.rand(4, 20), ["inner", "outer"] * 2)
    with pytest.raises(InputError, match="at least five samples"):
        Trials(Problem(source=few, target=away.target)).on_split([], seed=0)
    with pytest.raises(InputError, match="compare classes"):
        Trials(Problem(source=numbers, target=away.target))


def test_a_trained_recipe_is_handed_over_as_its_own_fit_gives_it():
    """By which `benchmarks/digits.py` takes the accuracy of a choice from the row that was chosen."""
    x = torch.randint(0, 256, (24, 16, 16), dtype=torch.uint8)
    problem = Problem(source=Domain(x, ["owl", "crow"] * 12), target=Domain(255 - x))
    recipe = METHODS["AdaMatch"](epochs=1, least_steps=2, affine=0.5, invert=1.0)
    trials = Trials(problem, Training(seed=1))
    candidate = Candidate(recipe, lenet((16, 16), widths=(4, 6, 8)), "")
    trials.on_split([candidate], seed=1)
    own = recipe.fit(problem, lenet((16, 16), widths=(4, 6, 8)), Training(seed=1))
    assert torch.equal(trials.refitted(candidate).logits(x), own.logits(x))
