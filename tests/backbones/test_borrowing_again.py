"""A network that Regraft fitted is borrowed from again, and says what it has been through."""

import torch

from regraft.backbones import glyphs, open_backbone
from regraft.card import card
from regraft.domain import Domain
from regraft.methods import METHODS
from regraft.model_folder import load
from regraft.planner import plan
from regraft.problem import Problem


def pictures(names, n=24, seed=0):
    luck = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 256, (n, 8, 8), generator=luck, dtype=torch.uint8)
    return Problem(target_labelled=Domain(x, [names[i % len(names)] for i in range(n)]))


def test_the_chain_grows_with_every_fit_and_is_told(tmp_path):
    recipe = METHODS["FineTune"](epochs=1, least_steps=3, held_out=0.0)
    first = recipe.fit(pictures(["ants", "bees"]), glyphs())
    network = open_backbone(first.save(tmp_path / "first"))
    for one, other in zip(network.parameters(), first.backbone.parameters(), strict=True):
        assert torch.equal(one, other)
    second = recipe.fit(pictures(["owls", "crows", "emus"], seed=1), network)
    third = METHODS["NearestMean"]().fit(
        pictures(["cats", "dogs"], seed=2), open_backbone(second.save(tmp_path / "second"))
    )
    again = load(third.save(tmp_path / "third"))
    chain = again.provenance["ancestors"]
    assert [one["classes"] for one in chain] == [["ants", "bees"], ["crows", "emus", "owls"]]
    assert chain[0]["data"] == first.provenance["data"]
    assert chain[1]["network"] == network.fingerprint()
    told = card(again)
    assert "FineTune on 24 samples of 2 classes (ants, bees)" in told
    assert "FineTune on 24 samples of 3 classes (crows, emus, owls)" in told
    assert told.index("(ants, bees)") < told.index("(crows, emus, owls)")


def test_the_plan_says_it(tmp_path):
    model = METHODS["NearestMean"]().fit(pictures(["ants", "bees"]), glyphs())
    said = str(plan(pictures(["cats", "dogs"]), backbone=model.save(tmp_path / "m")))
    assert "glyphs was fitted before: NearestMean on 24 samples of 2 classes (ants, bees)" in said


def test_a_linear_head_is_the_old_head_of_the_network(tmp_path):
    """Class names, numbers and where it is from; heads of other kinds have no rows to give."""
    problem = pictures(["ants", "bees"])
    model = METHODS["LinearProbe"]().fit(problem, glyphs())
    old = open_backbone(model.save(tmp_path / "probe")).old_head
    assert old.names == ("ants", "bees")
    assert torch.equal(old.weight, model.head.weight)
    assert torch.equal(old.bias, model.head.bias)
    assert old.source == "LinearProbe on 24 samples of 2 classes (ants, bees)"
    means = METHODS["NearestMean"]().fit(problem, glyphs()).save(tmp_path / "means")
    assert open_backbone(means).old_head is None
    columns = Problem(target_labelled=Domain(torch.rand(8, 3), ["ants", "bees"] * 4))
    alone = METHODS["LinearProbe"]().fit(columns, open_backbone("vectors")).save(tmp_path / "columns")
    assert open_backbone(alone).old_head is None


def test_a_chain_that_is_none_breaks_nothing(tmp_path):
    """A folder from elsewhere may say anything there."""
    model = METHODS["NearestMean"]().fit(pictures(["ants", "bees"]), glyphs())
    for nonsense in ("x", [1, None, {"samples": 3, "classes": None}], {"a": 1}):
        model.provenance["ancestors"] = nonsense
        network = open_backbone(model.save(tmp_path / "m"))
        assert plan(pictures(["cats", "dogs"]), backbone=network).notes
        assert "unknown method" in card(model) or not isinstance(nonsense, list)
