import json

import numpy as np
import pytest
import torch

from regraft.certainty import RealCertainty, certainty_from_json, certainty_of
from regraft.domain import Domain
from regraft.model_folder import load
from regraft.output import Real
from regraft.problem import Problem
from regraft.selection import compare


def homes(n, seed):
    luck = np.random.default_rng(seed)
    x = luck.normal(size=(n, 4))
    y = np.stack([3 * x[:, 0] + luck.normal(size=n), 1e4 * (x[:, 1] + luck.laplace(size=n))], 1)
    return Domain(x, y, Real(("rooms", "price"), ("", "€")))


def test_the_interval_holds_as_many_as_it_promises():
    held = []
    for seed in range(6):
        model = compare(Problem(target_labelled=homes(60, seed)), ["RidgeProbe"]).model
        fresh = homes(300, 100 + seed)
        answers = model.answers(fresh.unlabelled())
        held.append(((answers.low <= fresh.y) & (fresh.y <= answers.high)).double().mean())
    assert np.mean(held) == pytest.approx(0.9, abs=0.04)


def test_the_reach_is_the_conformal_quantile_of_what_is_known():
    labelled = homes(30, 0)
    logits = torch.zeros(2, 30, 2, dtype=torch.float64)
    known = torch.ones(30, 2, dtype=torch.bool)
    known[:10, 1] = False
    found = certainty_of(logits, labelled.with_(observed=known), labelled, False)
    first, second = labelled.y[:, 0].abs().sort().values, labelled.y[10:, 1].abs().sort().values
    assert found.reach == pytest.approx([float(first[27]), float(second[18])])
    assert found.held_out == 20


def test_it_is_saved_and_too_few_give_no_interval(tmp_path):
    for n, none in ((40, False), (8, True)):
        model = compare(Problem(target_labelled=homes(n, 1)), ["RidgeProbe"]).model
        model.save(tmp_path / "model")
        again = load(tmp_path / "model")
        assert isinstance(again.certainty, RealCertainty)
        assert str(again.certainty) == str(model.certainty)
        one, other = (each.answers(homes(5, 2).unlabelled()) for each in (model, again))
        assert torch.equal(one.low, other.low)
        assert [one.cells(i) for i in range(5)] == [other.cells(i) for i in range(5)]
        assert (one.cells(0)[1] == "") is none
        assert one.header()[:3] == ["rooms", "rooms low", "rooms high"]


def test_a_reach_below_0_is_none():
    saved = homes_certainty().to_json()
    saved["reach"] = [-1.0, 2.0]
    tensors = {"novelty.points": torch.zeros(saved["novelty"]["classes"], saved["novelty"]["features"])}
    with pytest.raises(ValueError, match="reach"):
        certainty_from_json(json.loads(json.dumps(saved)), tensors)


def homes_certainty():
    labelled = homes(30, 0)
    return certainty_of(labelled.y[None], labelled, labelled, False)


def test_what_is_far_off_is_novel():
    model = compare(Problem(target_labelled=homes(60, 0)), ["RidgeProbe"]).model
    assert model.answers([[0.0] * 4, [50.0] * 4]).accepted.tolist() == [True, False]
