import pytest
import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods import METHODS
from regraft.planner import RULES, plan
from regraft.problem import Problem


def birds(n, classes=2, d=20):
    return Problem(target_labelled=Domain(torch.rand(n, d), [f"class {i % classes}" for i in range(n)]))


def tried(planned):
    return [type(c.method).__name__ for c in planned.candidates if c.borrows]


def test_with_few_labels_at_most_three_borrow(network):
    planned = plan(birds(30), backbone=network)
    assert len(tried(planned)) == 3
    assert any("at most 3" in note for note in planned.notes)


def test_more_labels_bring_more_candidates(network):
    assert set(tried(plan(birds(60), backbone=network))) > set(tried(plan(birds(30), backbone=network)))


def test_networks_are_trained_only_within_a_budget(network):
    without, within = plan(birds(60), backbone=network), plan(birds(60), backbone=network, budget=60)
    assert "FineTune" not in tried(without)
    assert dict(without.left_out)["FineTune"].endswith("--budget 10m")
    assert "FineTune" in tried(within)
    assert "FromScratch" in [type(c.method).__name__ for c in within.candidates]


def test_baselines_are_there_whatever_is_asked_for(network):
    planned = plan(birds(30), backbone=network, methods=["NearestMean"])
    names = [(type(c.method).__name__, c.borrows) for c in planned.candidates]
    assert ("Majority", False) in names
    assert ("LinearProbe", False) in names
    assert ("RidgeProbe", False) in names
    assert names[-1] == ("NearestMean", True)


def test_recipes_may_be_handed_in(network):
    recipe = METHODS["FrozenLayers"](trained=2)
    assert plan(birds(30), backbone=network, methods=[recipe]).candidates[-2].method is recipe


def test_a_changed_network_is_tried_with_what_it_has_to_beat(network):
    planned = plan(birds(30), backbone=network, methods=["FineTune"])
    assert tried(planned) == ["FineTune", "LinearProbe"]


def test_the_same_recipe_is_tried_once_and_another_of_its_kind_too(network):
    assert [type(c.method).__name__ for c in plan(birds(30), methods=["Majority"]).candidates].count(
        "Majority"
    ) == 1
    other = METHODS["LinearProbe"](folds=10)
    planned = plan(birds(30), methods=[other])
    assert [c.method for c in planned.candidates if type(c.method) is type(other)] == [type(other)(), other]


def test_columns_borrow_nothing():
    planned = plan(birds(30), backbone=vectors())
    assert tried(planned) == []


def test_every_candidate_has_a_reason_and_a_reference(network):
    planned = plan(birds(300), backbone=network, budget=60)
    for c in planned.candidates:
        assert c.reason
        assert c.method.reference
        assert c.method.reference in str(planned)
        assert c.reason in str(planned)


def test_every_rule_names_a_method():
    assert {rule.method for rule in RULES} <= set(METHODS)


def test_single_samples_are_mentioned(network):
    d = Domain(torch.rand(7, 20), ["a"] * 3 + ["b"] * 3 + ["emu"])
    assert any("emu" in note for note in plan(Problem(target_labelled=d), backbone=network).notes)


def test_one_class_is_no_problem_to_solve():
    with pytest.raises(InputError, match="only one class, 'class 0'"):
        plan(birds(10, classes=1))


def test_unlabelled_problems_are_refused():
    with pytest.raises(InputError, match="target_labelled"):
        plan(Problem(unlabelled=Domain([[0.0]])))
