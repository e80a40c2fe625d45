import pytest
import torch

from regraft.backbone import Backbone
from regraft.backbones.adapted import Adapted, Bottleneck
from regraft.errors import InputError
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.fine_tuning.adapters import Adapters
from regraft.model_folder import load
from regraft.problem import Problem
from regraft.selection import evaluate

QUICK = {"epochs": 1, "least_steps": 20, "held_out": 0.0}


def within(model):
    return {n: m for n, m in model.backbone.stages.named_modules() if isinstance(m, Adapted)}


def test_the_network_inside_is_the_borrowed_one_bit_for_bit(problem, network):
    model = Adapters(**QUICK).fit(problem, network)
    inside = [stage.inner if isinstance(stage, Adapted) else stage for stage in model.backbone.stages]
    for own, given in zip(inside, network.stages, strict=True):
        assert own.state_dict().keys() == given.state_dict().keys()
        assert all(torch.equal(t, given.state_dict()[name]) for name, t in own.state_dict().items())


def test_adapters_and_head_alone_move(problem, network):
    model = Adapters(width=3, **QUICK).fit(problem, network)
    assert list(within(model)) == ["1", "2"]  # the first stage has no parameters
    assert all(adapted.adapter.up.weight.abs().sum() > 0 for adapted in within(model).values())
    numbers = sum(p.numel() for m in within(model).values() for p in m.adapter.parameters())
    told = model.provenance
    assert told["trained_parameters"] == numbers + sum(p.numel() for p in model.head.parameters())
    assert told["network_parameters"] == sum(p.numel() for p in network.parameters())
    assert told["adapters"] == ["1", "2"]


def test_training_starts_at_the_probe(problem, network, fresh):
    start = Adapters(epochs=1, least_steps=1, held_out=0.0, rate=0.0, stage_rate=0.0).fit(problem, network)
    probe = LinearProbe().fit(problem, network)
    torch.testing.assert_close(start.logits(fresh), probe.logits(fresh), atol=1e-4, rtol=1e-4)


def test_it_beats_the_probe_where_features_have_to_change(problem, spoiled, fresh):
    tuned = Adapters(epochs=1, least_steps=200, held_out=0.0, rate=1e-2, stage_rate=1e-2).fit(
        problem, spoiled
    )
    probe = LinearProbe().fit(problem, spoiled)
    assert evaluate(tuned, fresh).value("accuracy") > evaluate(probe, fresh).value("accuracy") + 0.1


def test_adapters_of_an_earlier_fit_are_part_of_what_is_borrowed(problem, network, fresh, tmp_path):
    once = Adapters(width=2, **QUICK).fit(problem, network)
    twice = Adapters(width=2, **QUICK).fit(problem, once.backbone)
    first = twice.backbone.stages[1].inner
    assert isinstance(first, Adapted)
    for name, value in once.backbone.stages[1].state_dict().items():
        assert torch.equal(first.state_dict()[name], value)
    again = load(twice.save(tmp_path / "twice"), backbone=network)
    assert torch.equal(again.logits(fresh), twice.logits(fresh))


def test_only_the_new_modules_are_marked_as_learning(problem, network):
    model = Adapters(**QUICK).fit(problem, network)
    marked = [m for m in model.backbone.modules() if getattr(m, "learns", False)]
    assert len(marked) == 2 * sum(isinstance(m, Bottleneck) for m in model.backbone.modules())
    assert not [m for m in network.modules() if hasattr(m, "learns")]


def test_a_network_without_parameters_is_said(problem):
    nothing = Backbone([("as it is", torch.nn.Identity())], name="nothing")
    with pytest.raises(InputError, match="no stage of nothing has parameters"):
        Adapters(**QUICK).fit(problem, nothing)


def test_widths_that_are_none_are_said(problem: Problem, network: Backbone):
    with pytest.raises(InputError, match="adapters of width 0 cannot be made"):
        Adapters(width=0, **QUICK).fit(problem, network)
