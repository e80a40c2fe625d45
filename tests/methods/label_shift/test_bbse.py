"""BBSE."""

import numpy as np
import pytest
import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.folds import complement, stratified_folds
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.both_sides import Seen
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.label_shift.bbse import BBSE
from regraft.problem import Problem
from regraft.training import Training


def test_without_ridge_the_shares_are_those_of_the_inverse(heaps):
    """Confusion of held-out samples, computed here fold by fold."""
    source, target = heaps(200, 0.5, 0), heaps(150, 0.8, 1)
    source, target = source.with_(x=source.x.double()), target.with_(x=target.x.double())
    confusion, said = np.zeros((2, 2)), np.zeros(2)
    folds = stratified_folds(source, 5, 0)
    heads = LinearProbe().heads(source, [complement(rows, 200) for rows in folds], Training())
    for rows, head in zip(folds, heads, strict=True):
        with torch.no_grad():
            p, q = (head(x).softmax(1).numpy() for x in (source.x[rows], target.x))
        np.add.at(confusion.T, source.y[rows].numpy(), p / 200)
        said += q.mean(0) / 5
    weight = np.linalg.solve(confusion, said)
    told = BBSE(ridge=0.0).sides(Seen(source, target.x), Training()).told
    expected = weight * np.bincount(source.y) / 200
    assert list(told["priors"].values()) == pytest.approx(expected / expected.sum(), abs=1e-4)


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_finds_the_shares_and_gains_by_them(heaps, right, seed):
    target = heaps(400, 0.9, seed)
    problem = Problem(source=heaps(400, 0.5, seed + 1), target=target.unlabelled())
    model, alone = (recipe.fit(problem, vectors()) for recipe in (BBSE(), SourceOnly()))
    assert abs(model.provenance["priors"]["b"] - 0.9) < 0.06
    assert right(model, target) > right(alone, target) + 0.02


def test_where_nothing_can_be_held_out_the_source_stays_as_it_is():
    x = torch.tensor([[0.0], [4.0]])
    pair = Problem(source=Domain(x, ["a", "b"]), target=Domain(torch.tensor([[0.0], [4.0], [4.0]])))
    assert BBSE().fit(pair, vectors()).provenance["priors"] == {"a": 0.5, "b": 0.5}


def test_weights_of_the_source_count(heaps):
    """A source that is weighted as the target is drawn has nothing to be corrected."""
    source, target = heaps(600, 0.5, 0), heaps(600, 0.8, 1)
    weighted = source.with_(weight=torch.where(source.y == 1, 1.6, 0.4))
    model = BBSE().fit(Problem(source=weighted, target=target.unlabelled()), vectors())
    assert abs(model.provenance["priors"]["b"] - float((target.y == 1).double().mean())) < 0.05
