import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods.fine_tuning.reuse_depth import ReuseDepth
from regraft.model_folder import load
from regraft.pretrained_head import PretrainedHead
from regraft.problem import Problem
from regraft.selection import evaluate

QUICK = {"least_steps": 60, "epochs": 1}


class Forgets(nn.Module):
    """A last stage that was made for another task: all it lets through is noise."""

    def forward(self, x):
        return torch.sin(1e4 * x)


@pytest.fixture
def too_deep(network):
    named = list(zip(network.names, network.stages, strict=True))
    return network.rewired([*named, ("forgets", Forgets())])


def test_a_stage_that_forgets_is_dropped(too_deep, problem, fresh):
    model = ReuseDepth(deepest=0, **QUICK).fit(problem, too_deep)
    told = model.provenance
    assert told["cut"] in ("squares", "mixing", "top")
    assert told["loss_at_cut"]["forgets"] > 2 * told["loss_at_cut"]["top"]
    assert "forgets" not in model.backbone.names
    assert evaluate(model, fresh).value("accuracy") > 0.85


def test_the_old_head_goes_with_the_stages_that_it_sat_behind(too_deep, problem):
    too_deep.old_head = PretrainedHead(torch.randn(2, 8), torch.zeros(2), ("inner", "outer"), "the sky")
    old, probe = (
        ReuseDepth(head=head, deepest=0, **QUICK).fit(problem, too_deep) for head in ("old", "probe")
    )
    assert "forgets" not in old.backbone.names
    assert torch.equal(old.head.weight, probe.head.weight)
    assert "head" not in old.provenance


def test_it_stays_frozen_where_training_does_not_pay(network, problem):
    model = ReuseDepth(pays=0.9, **QUICK).fit(problem, network)
    assert set(model.provenance["schedule"]["starts"]) == {1.0}
    for new, old in zip(model.backbone.parameters(), network.parameters(), strict=False):
        assert torch.equal(new, old)
    assert len(model.provenance["held_out_loss_by_trained_stages"]) == 2


def test_it_goes_deeper_where_it_pays(spoiled, fresh):
    model = ReuseDepth(stage_rate=1e-2, least_steps=200).fit(Problem(target_labelled=fresh[:200]), spoiled)
    losses = model.provenance["held_out_loss_by_trained_stages"]
    starts = model.provenance["schedule"]["starts"]
    trained = starts.count(0.0)
    if model.provenance["cut"] == "top":
        assert trained >= 1
    kept = losses[: trained + 1]
    assert kept == sorted(kept, reverse=True)
    assert evaluate(model, fresh[200:]).value("accuracy") > 0.85


def test_a_shortened_network_survives_saving(tmp_path):
    """Maps of an early stage are pooled, also after loading."""
    torch.manual_seed(0)
    phi = Backbone(
        [
            ("colours", nn.Conv2d(3, 4, 1)),
            ("noise", nn.Sequential(Forgets(), nn.AdaptiveAvgPool2d(1), nn.Flatten())),
        ],
        name="toy",
    )
    x = torch.rand(60, 3, 6, 6)
    x[::2, 0] += 0.5
    seen = Domain(x, ["red", "other"] * 30)
    model = ReuseDepth(deepest=0, **QUICK).fit(Problem(target_labelled=seen), phi)
    assert model.backbone.names == ["colours", "pool"]
    again = load(model.save(tmp_path / "m"), backbone=phi)
    assert torch.equal(again.logits(seen), model.logits(seen))
    assert evaluate(model, seen).value("accuracy") > 0.95


def test_without_held_out_labels_it_cannot_choose(network, problem):
    with pytest.raises(InputError, match="held_out is 0"):
        ReuseDepth(held_out=0.0).fit(problem, network)
