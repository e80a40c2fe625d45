import numpy as np
import pytest
import scipy.sparse
import torch

from regraft.backbones import glyphs, lenet, pixels, vectors
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods import METHODS
from regraft.planner import plan
from regraft.pretrained_head import PretrainedHead
from regraft.problem import Problem
from regraft.rules import RULES


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
    assert "FrozenLayers" not in tried(without)
    assert dict(without.left_out)["FrozenLayers"].endswith("--budget 10m")
    assert "FrozenLayers" in tried(within)


@pytest.mark.parametrize(("kind", "needed"), [("pictures", 50), ("vectors", 10)])
def test_a_network_from_scratch_needs_labels(kind, needed):
    def samples(n):
        x = torch.zeros(n, 8, 8, 3, dtype=torch.uint8) if kind == "pictures" else torch.rand(n, 20)
        return Problem(target_labelled=Domain(x, ["owl", "crow"] * (n // 2)))

    some, many = (
        plan(samples(n), backbone="glyphs" if kind == "pictures" else None, budget=60)
        for n in (2 * needed - 2, 2 * needed)
    )
    assert "FromScratch" not in [type(c.method).__name__ for c in some.candidates]
    assert dict(some.left_out)["FromScratch"].startswith(f"needs {needed} labels a class")
    assert "FromScratch" in [type(c.method).__name__ for c in many.candidates]


@pytest.mark.parametrize("borrowing", [True, False])
def test_of_very_many_samples_not_all_are_compared_with_all(network, monkeypatch, borrowing):
    for module in ("regraft.rules", "regraft.planner"):
        monkeypatch.setattr(f"{module}.MOST_NEIGHBOURS", 59)
    for n in (58, 60):
        planned = plan(birds(n), backbone=network if borrowing else None)
        assert ("NearestNeighbours" in [type(c.method).__name__ for c in planned.candidates]) is (n == 58)


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


def with_head(network, *names):
    network.old_head = PretrainedHead(torch.zeros(len(names), 8), torch.zeros(len(names)), names, "birds")
    return network


def test_an_old_head_that_knows_all_classes_is_tried_first(network):
    planned = plan(birds(30), backbone=with_head(network, "class_1", "Class 0", "emu"))
    assert tried(planned) == ["OldHead", "LinearProbe", "NearestMean"]
    assert "the old head of rings knows class 0, class 1: 2 of 2 classes" in planned.notes


def test_fine_tuning_starts_from_the_better_head_where_the_old_one_knows_all(network):
    starts = {}
    for names in (("class 0", "class 1"), ("class 0", "emu")):
        planned = plan(birds(60), backbone=with_head(network, *names), budget=60)
        starts[names] = [c.method.head for c in planned.candidates if c.tunes]
    assert list(starts.values()) == [["better"] * 2, ["probe"] * 2]


def test_an_old_head_that_knows_some_is_told_of(network):
    planned = plan(birds(60), backbone=with_head(network, "class 1", "emu"))
    assert "OldHead" not in tried(planned)
    told = "the old head of rings knows class 1: 1 of 2 classes; with head='old' fine-tuning starts from"
    assert any(note.startswith(told) for note in planned.notes)
    assert not any("old head" in note for note in plan(birds(60), backbone=with_head(network, "emu")).notes)


def test_a_name_in_the_plural_is_asked_about(network):
    ants = Problem(target_labelled=Domain(torch.rand(8, 20), ["ants", "bees"] * 4))
    planned = plan(ants, backbone=with_head(network, "ant, emmet", "bee"))
    assert "OldHead" not in tried(planned)
    assert (
        "the old head of rings knows ant, bee: where ants, bees means the same, name it so" in planned.notes
    )


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


def test_the_upper_stages_are_trained_and_with_many_labels_all_of_them(network):
    some, many = (plan(birds(n), backbone=network, budget=60).candidates for n in (60, 400))
    assert [type(c.method).__name__ for c in some if c.tunes] == ["FrozenLayers"] * 2
    assert [c.method.trained for c in some if c.tunes] == [2, 2]  # of three
    assert [type(c.method).__name__ for c in many if c.tunes] == ["FrozenLayers"] * 2 + ["FineTune"]
    assert not any(c.asked for c in many)


def test_of_a_network_without_depth_all_is_trained(network):
    planned = plan(birds(60), backbone=network[:2], budget=60)
    assert [type(c.method).__name__ for c in planned.candidates if c.tunes] == ["FineTune"]


@pytest.mark.parametrize(
    ("network", "first"), [(lenet, "SourceTuned"), (glyphs, "SourceOnly"), (pixels, "SourceOnly")]
)
def test_across_domains_a_head_on_random_features_is_nothing_to_beat(network, first):
    pictures = torch.zeros(8, 16, 16, dtype=torch.uint8)
    problem = Problem(source=Domain(pictures, ["owl", "crow"] * 4), target=Domain(pictures))
    planned = plan(problem, backbone=network(), methods=["DANN", "SourceTuned", "AdaMatch"])
    names = [type(c.method).__name__ for c in planned.candidates]
    assert names[0] == first
    assert sorted(names) == ["AdaMatch", "DANN", "SourceOnly", "SourceTuned"]


def with_a_pool(n, pool, images=False):
    x = torch.zeros(n + pool, 8, 8, 3, dtype=torch.uint8) if images else torch.rand(n + pool, 20)
    few = Domain(x[:n], ["owl", "crow"] * (n // 2))
    return Problem(target_labelled=few, unlabelled=Domain(x[n:]))


def pooled(planned):
    return [type(c.method).__name__ for c in planned.candidates if c.adapts]


def test_a_pool_is_used_beside_all_others_where_it_is_large_enough(network):
    for phi, name in ((network, "LabelPropagation"), (None, "AdaptedGaussians")):
        without = plan(birds(30), backbone=phi)
        planned = plan(with_a_pool(30, 60), backbone=phi)
        assert pooled(without) == []
        assert pooled(planned) == [name]
        assert len(planned.candidates) == len(without.candidates) + 1
        small = plan(with_a_pool(30, 14), backbone=phi)
        assert pooled(small) == []
        assert dict(small.left_out)[name].startswith("needs one sample without a label")
        assert name not in dict(without.left_out)


def test_one_that_learns_from_a_pool_is_tried_and_is_trained_where_pictures_are_small(network):
    for phi, images, budget, name in (
        (network, False, 60, "LabelPropagation"),
        (None, False, 60, "AdaptedGaussians"),
        ("glyphs", True, 60, "AdaMatch"),
        ("glyphs", True, None, "LabelPropagation"),
        ("pixels", True, None, "AdaptedGaussians"),
    ):
        planned = plan(with_a_pool(30, 60, images), backbone=phi, budget=budget)
        assert pooled(planned) == [name]
        told = dict(planned.left_out).get("AdaMatch")
        assert told == ("needs time: --budget 10m" if images and budget is None else None)


@pytest.mark.parametrize(("backbone", "rival"), [("pixels", "FromScratch"), ("glyphs", "FineTune")])
def test_small_networks_learn_from_changed_pictures_and_so_does_what_the_pool_has_to_beat(backbone, rival):
    alone, matched = plan(with_a_pool(30, 60, images=True), backbone=backbone, budget=60).candidates[-2:]
    assert (type(alone.method).__name__, type(matched.method).__name__) == (rival, "AdaMatch")
    assert alone.backbone.name == matched.backbone.name
    assert matched.method.lowest_trained(matched.backbone) == alone.method.lowest_trained(alone.backbone) == 0
    assert matched.method.augmentation == alone.method.augmentation
    assert matched.method.affine > 0  # pictures that nothing changes would teach what is known
    assert alone.rival
    assert not matched.rival


def test_a_pool_of_words_shows_which_are_rare():
    few = Domain(scipy.sparse.csr_array(np.eye(30, 40)), ["owl", "crow"] * 15)
    problem = Problem(target_labelled=few, unlabelled=Domain(scipy.sparse.csr_array(np.eye(90, 40, -30))))
    assert pooled(plan(problem)) == ["LatentSemantics"]


def test_who_learns_from_a_pool_is_tried_with_what_it_has_to_beat(network):
    assert tried(plan(with_a_pool(30, 60), backbone=network, methods=["SelfPaced"])) == [
        "SelfPaced",
        "LinearProbe",
    ]
    asked = plan(with_a_pool(30, 60), methods=["AdaMatch"]).candidates
    assert next(c for c in asked if c.adapts).backbone.name == "small mlp"
