"""What every method promises for numbers and for several labels, as it does for classes."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from regraft.backbones import module_backbone, small_mlp, vectors
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.folds import complement, random_folds
from regraft.methods import METHODS
from regraft.methods.fine_tuning.tuned import Tuned
from regraft.model_folder import load
from regraft.output import MultiLabel, Real
from regraft.problem import LABELLED, Problem
from regraft.trained import Trained
from regraft.training import Training

QUICK = {"epochs": 1, "least_steps": 30}
ASKED = ("real", "multilabel")


def asked(kind: str, n: int, seed: int, unknown: float = 0.0) -> Domain:
    """Two answers that follow the columns of x, of very different size where they are numbers."""
    luck = np.random.default_rng(seed)
    x = luck.normal(size=(n, 20))
    y = np.stack([x[:, 0] + x[:, 1], x[:, 2] - x[:, 3]], 1) + 0.2 * luck.normal(size=(n, 2))
    y = y * [1.0, 5e4] + [0.0, 3e5] if kind == "real" else (y > 0).astype(float)
    y[luck.random(y.shape) < unknown] = np.nan
    y[np.isnan(y).all(1), 0] = 0.0
    return Domain(x, y, Real(("near", "far")) if kind == "real" else MultiLabel(("cat", "dog")))


LEARN = {name: method for name, method in METHODS.items() if "source_model" not in method.needs}


@pytest.fixture(params=[(kind, name) for kind in ASKED for name in LEARN if kind in LEARN[name].outputs])
def asking(request):
    """(the kind of answer, the recipe of what learns from samples, trained briefly wherever it trains)"""
    kind, name = request.param
    if name == "Boosting":
        pytest.importorskip("xgboost")
    if name == "EntropicTransport":
        pytest.importorskip("ot")
    return kind, METHODS[name](**QUICK) if issubclass(METHODS[name], Trained) else METHODS[name]()


def given(recipe, known, other=None):
    """What the recipe needs: the labelled samples in every labelled role, and others where labels are not."""
    other = (known if other is None else other).unlabelled()
    return Problem(**{role: known if role in LABELLED else other for role in recipe.needs})


def phi(recipe):
    if type(recipe).__name__ == "AdaptiveBatchNorm":
        norm = nn.BatchNorm1d(20)
        return module_backbone(nn.Sequential(norm.eval()), name="norm")
    return vectors() if type(recipe).__name__ in ("Boosting", "Majority") else small_mlp(20)


def test_it_learns_and_is_saved(asking, tmp_path):
    """Better than always the mean, and the same after saving."""
    kind, recipe = asking
    known, fresh = asked(kind, 80, 0), asked(kind, 200, 1)
    problem, network = given(recipe, known, fresh), phi(recipe)
    model = recipe.fit(problem, network)
    said = model.expected(fresh)
    assert said.shape == (200, 2)
    assert said.isfinite().all()
    if type(recipe).__name__ != "Majority":
        prior = known.output.prior(known.y, known.observed).expand(200, -1)
        scale = known.y.std(0) if kind == "real" else torch.ones(2)
        loss, of_prior = (
            float(known.output.loss(each / scale, fresh.y / scale).mean())
            if kind == "real"
            else float(known.output.loss(each, fresh.y).mean())
            for each in (model.logits(fresh), prior)
        )
        assert loss < of_prior
    model.save(tmp_path / "model")
    again = load(tmp_path / "model", backbone=network if network.spec["loader"] == "module" else None)
    assert torch.equal(again.expected(fresh), said)
    assert again.predict(fresh) == model.predict(fresh)


def test_what_is_unknown_changes_nothing_else(asking):
    """Other values under the unknown entries give the same bits; without them it still learns."""
    kind, recipe = asking
    if type(recipe).__name__ == "Boosting":
        pytest.skip("needs every number")
    if isinstance(recipe, Tuned) and type(recipe).__name__ != "FineTune":
        pytest.skip("as FineTune, which is tested")
    known, fresh = asked(kind, 60, 0, unknown=0.3), asked(kind, 40, 1)
    assert known.observed is not None
    other = torch.where(known.observed, known.y, 1.0)
    changed = dataclasses.replace(known, y=other)
    one, two = (recipe.fit(given(recipe, d), phi(recipe)).expected(fresh) for d in (known, changed))
    assert torch.equal(one, two)


def test_fits_for_folds_are_fits_without_them(asking):
    kind, recipe = asking
    if isinstance(recipe, Trained) or "target_labelled" not in recipe.needs:
        pytest.skip("no work is shared")
    known, fresh = asked(kind, 45, 0), asked(kind, 40, 1)
    problem, network = given(recipe, known, fresh), phi(recipe)
    held_out = random_folds(known, 3, seed=0)
    scale = known.y.std(0) if kind == "real" else torch.ones(2)
    for rows, model in zip(held_out, recipe.fit_without(held_out, problem, network, Training()), strict=True):
        alone = recipe.fit(problem.restricted(complement(rows, len(known))), network)
        ours, theirs = (each.expected(fresh) / scale for each in (model, alone))
        torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=0)


@pytest.mark.parametrize("kind", ASKED)
def test_others_say_what_they_are_for(kind, network):
    problem = Problem(target_labelled=asked(kind, 20, 0))
    for name, method in METHODS.items():
        if kind not in method.outputs:
            with pytest.raises(InputError, match=name):
                method().fit(problem, network)


def test_numbers_are_learned_in_any_unit(network):
    """y times a million and plus a million is the same task."""
    known, fresh = asked("real", 60, 0), asked("real", 30, 1)
    large = known.with_(y=1e6 * known.y + 1e6)
    for name in ("RidgeProbe", "FineTune", "MLPHead", "NearestNeighbours"):
        recipe = METHODS[name](**QUICK) if issubclass(METHODS[name], Trained) else METHODS[name]()
        one, two = (recipe.fit(Problem(target_labelled=d), network).expected(fresh) for d in (known, large))
        torch.testing.assert_close(
            (two - 1e6) / 1e6 / known.y.std(0), one / known.y.std(0), atol=2e-3, rtol=0
        )
