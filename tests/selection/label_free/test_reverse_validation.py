"""Reverse validation."""

import pytest
import torch

from regraft import METHODS
from regraft.backbones import vectors
from regraft.candidates import Candidate
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.problem import Problem
from regraft.selection.label_free import ReverseValidation, Trials


@pytest.fixture
def shifted():
    """Two classes in two dimensions, and the same far away."""
    luck = torch.Generator().manual_seed(0)
    x = torch.randn(100, 2, generator=luck)
    x[::2, 0] += 4
    source = Domain(x[:60], ["right", "left"] * 30)
    return Problem(source=source, target=Domain(x[60:] + torch.tensor([8.0, 0.0])))


def tried(problem, method, **recipe):
    candidate = Candidate(METHODS[method](**recipe), vectors(), "")
    ((_, trial),) = Trials(problem).on_split([candidate], seed=0).tried
    return trial


def test_it_is_the_recipe_run_backwards(shifted):
    trial = tried(shifted, "CORAL")
    kept, held_out, target = trial.problem.source, trial.held_out.samples, shifted.target
    there = METHODS["CORAL"]().fit(Problem(source=kept, target=target), vectors())
    said = Domain(target.x, there.predict(target))
    back = METHODS["CORAL"]().fit(Problem(source=said, target=Domain(kept.x)), vectors())
    names = held_out.output.decode(held_out.y)
    by_hand = sum(a == b for a, b in zip(back.predict(held_out.x), names, strict=True)) / len(names)
    assert ReverseValidation()(trial) == pytest.approx(by_hand)
    assert by_hand > 0.9


def test_it_finds_out_who_lost_the_labels_on_the_way(shifted):
    """On the target all samples lie beyond the boundary of source only."""
    lost, found = (tried(shifted, name) for name in ("SourceOnly", "CORAL"))
    assert ReverseValidation()(lost) < 0.8 < ReverseValidation()(found)


def test_one_class_for_everything_is_worth_what_it_is_on_the_source(trial, sure):
    one = trial(of_target=sure([2] * 20, 3))
    assert ReverseValidation()(one) == pytest.approx(float((one.held_out.samples.y == 2).double().mean()))


def test_what_cannot_be_run_backwards_is_not_judged(trial):
    def refused(problem):
        raise InputError("no")

    score = ReverseValidation()(trial(refit=refused))
    assert score != score
