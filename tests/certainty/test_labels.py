import numpy as np
import pytest
import torch

from regraft.certainty import ClassCertainty, LabelCertainty
from regraft.domain import Domain
from regraft.model_folder import load
from regraft.output import MultiLabel
from regraft.problem import Problem
from regraft.selection import compare


def photos(n, seed, unknown=0.0):
    luck = np.random.default_rng(seed)
    x = luck.normal(size=(n, 4))
    y = (x[:, :2] + 0.5 * luck.normal(size=(n, 2)) > 0).astype(float)
    y[luck.random(y.shape) < unknown] = np.nan
    y[np.isnan(y).all(1), 0] = 0
    return Domain(x, y, MultiLabel(("cat", "dog")))


def test_what_is_plausible_holds_the_truth_of_as_many_entries_as_it_promises():
    held = []
    for seed in range(4):
        model = compare(Problem(target_labelled=photos(110, seed, unknown=0.2)), ["NearestNeighbours"]).model
        fresh = photos(300, 100 + seed)
        plausible = model.answers(fresh.unlabelled()).plausible
        held.append(plausible.gather(2, fresh.y.long()[..., None]).double().mean())
    assert np.mean(held) == pytest.approx(0.9, abs=0.03)


def test_it_is_that_of_classes_for_every_entry():
    labelled = photos(40, 0)
    logits = torch.randn(1, 40, 2, dtype=torch.float64)
    ours = LabelCertainty.of(logits, labelled, labelled, False)
    two = torch.stack([torch.zeros(1, 80), logits.flatten(1)], 2)
    theirs = ClassCertainty.of_codes(two, labelled.y.flatten().long(), ours.novelty)
    assert (ours.entries.temperature, ours.entries.threshold) == (theirs.temperature, theirs.threshold)


def test_it_is_saved_and_says_what_is_not_settled(tmp_path):
    model = compare(Problem(target_labelled=photos(110, 0)), ["LinearProbe"]).model
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    new = torch.zeros(61, 4)
    new[:, 0], new[:, 1] = 3.0, torch.linspace(-3, 3, 61)
    one, other = model.answers(new), again.answers(new)
    assert [one.cells(i) for i in range(61)] == [other.cells(i) for i in range(61)]
    assert (one.cells(0)[:2], one.cells(60)[:2]) == (["cat", ""], ["cat;dog", ""])
    unsettled = [i for i in range(61) if one.unsettled(i) == ["dog"]]
    assert unsettled
    assert all(15 < i < 45 for i in unsettled)
    assert not one.accepted[unsettled].any()
