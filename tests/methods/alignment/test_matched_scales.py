"""Matched scales."""

import pytest
import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.heads.linear import Linear
from regraft.methods.alignment.matched_scales import MatchedScales
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.both_sides import Seen
from regraft.methods.features import learners
from regraft.problem import Problem
from regraft.training import Training


def moved_by(recipe, source, target, monkeypatch):
    """What the head learns from."""
    seen = []

    class Taught:
        def head(self, features, training):
            seen.append(features.x)
            return Linear(features.x.shape[1], 2)

    monkeypatch.setattr("regraft.methods.both_sides.learner_of", lambda name, output: Taught())
    recipe.sides(Seen(source, target), Training())
    return seen[0]


def test_columns_take_on_mean_and_spread(heaps, monkeypatch):
    source, target = heaps(100, 0), heaps(120, 1).x * torch.tensor([3.0, 0.1, 1, 1, 7]) + 5
    found = moved_by(MatchedScales(ridge=0.0), source, target, monkeypatch)
    torch.testing.assert_close(found.mean(0), target.mean(0))
    torch.testing.assert_close(found.std(0, correction=0), target.std(0, correction=0))


def test_one_scale_for_all_columns(heaps, monkeypatch):
    source, target = heaps(100, 0), heaps(120, 1).x * torch.tensor([3.0, 0.1, 1, 1, 7]) + 5
    found = moved_by(MatchedScales(scales="one", ridge=0.0), source, target, monkeypatch)
    torch.testing.assert_close(found.var(0, correction=0).sum(), target.var(0, correction=0).sum())
    ratio = found.std(0) / source.x.std(0)
    torch.testing.assert_close(ratio, ratio[:1].expand(5))


def test_means_alone(heaps, monkeypatch):
    source, target = heaps(100, 0), heaps(120, 1).x + 5
    found = moved_by(MatchedScales(scales="none"), source, target, monkeypatch)
    torch.testing.assert_close(found, source.x - source.x.mean(0) + target.mean(0))


def test_a_column_without_spread_is_only_moved(monkeypatch):
    source = Domain(torch.tensor([[0.0, 1.0], [1.0, 1.0]]).double(), ["a", "b"])
    target = torch.tensor([[0.0, 5.0], [2.0, 5.0]]).double()
    found = moved_by(MatchedScales(ridge=0.0), source, target, monkeypatch)
    assert found.tolist() == [[0.0, 5.0], [2.0, 5.0]]


@pytest.mark.parametrize("learner", learners.LEARNERS)
def test_the_sides_answer_alike(heaps, learner):
    """A sample of the source is told as what it is moved to."""
    source, target = heaps(60, 0), heaps(60, 1).x * 2 + 3
    both = MatchedScales(learner=learner, ridge=0.0).sides(Seen(source, target), Training())
    scale = target.std(0, correction=0) / source.x.std(0, correction=0)
    moved = (source.x - source.x.mean(0)) * scale + target.mean(0)
    torch.testing.assert_close(both.source(source.x), both.target(moved))


def test_beats_the_source_where_columns_are_stretched(heaps, right):
    source, target = heaps(300, 0), heaps(300, 1)
    target = target.with_(x=target.x * torch.tensor([3.0, 0.5, 1, 1, 1]) + 6)
    problem = Problem(source=source, target=target.unlabelled())
    model, alone = (recipe.fit(problem, vectors()) for recipe in (MatchedScales(), SourceOnly()))
    assert right(model, target) > max(0.9, right(alone, target) + 0.2)
