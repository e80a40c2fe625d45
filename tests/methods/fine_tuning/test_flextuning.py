import pytest
import torch

from regraft.errors import InputError
from regraft.methods.fine_tuning.flextuning import Flextuning
from regraft.problem import Problem
from regraft.selection import evaluate

QUICK = {"epochs": 1, "least_steps": 60}


def moved(model, network):
    return [
        any(not torch.equal(a, b) for a, b in zip(new.parameters(), old.parameters(), strict=True))
        for new, old in zip(model.backbone.stages, network.stages, strict=True)
    ]


@pytest.mark.parametrize("stage", [1, 2])
def test_one_stage_moves_and_no_other(problem, network, stage):
    model = Flextuning(stage=stage, held_out=0.0, **QUICK).fit(problem, network)
    assert moved(model, network) == [False, stage == 1, stage == 2]
    assert model.provenance["schedule"]["starts"] == [1.0 if i != stage else 0.0 for i in range(3)]


def test_the_spoiled_stage_is_found(network, fresh):
    """One stage forgot all but one of its units; only changing that one brings the others back."""
    spoiled = network.copied()
    with torch.no_grad():
        spoiled.stages[1][0].weight[1:] = 0
    model = Flextuning(stage_rate=3e-2, least_steps=200).fit(Problem(target_labelled=fresh[:200]), spoiled)
    assert model.provenance["stage"] == "mixing"
    assert moved(model, spoiled) == [False, True, False]
    losses = model.provenance["held_out_loss_of_stages"]
    assert set(losses) == {"mixing", "top"}  # the first has nothing to learn
    assert losses["mixing"] == min(losses.values())
    assert evaluate(model, fresh[200:]).value("accuracy") > 0.8


def test_a_stage_that_is_not_there(problem, network):
    with pytest.raises(InputError, match="got stage 3, and rings has 3: name one from 0 to 2"):
        Flextuning(stage=3).fit(problem, network)
