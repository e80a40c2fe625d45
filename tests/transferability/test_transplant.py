import pytest
import torch

from regraft.training import Training
from regraft.transferability.transplant import Transplant

QUICK = {"epochs": 0, "held_out": 0.0}


def states(stages):
    return [stage.state_dict() for stage in stages]


def equal(ours, theirs):
    return all(torch.equal(a[k], b[k]) for a, b in zip(ours, theirs, strict=True) for k in a)


def fitted(problem, network, steps, seed=3, **recipe):
    return Transplant(least_steps=steps, **QUICK, **recipe).fit(problem, network, Training(seed=seed))


def test_frozen_copies_keep_every_bit_and_their_statistics(problem, network):
    made = fitted(problem, network, 20, copied=2).backbone
    assert equal(states(made.stages[:2]), states(network.stages[:2]))
    assert not equal(states(made.stages[2:]), states(network.stages[2:]))


def test_tuned_copies_learn_and_count_statistics(problem, network):
    made = fitted(problem, network, 20, copied=2, tuned=True).backbone
    assert not torch.equal(made.stages[1][0].weight, network.stages[1][0].weight)
    assert not torch.equal(made.stages[1][1].running_mean, network.stages[1][1].running_mean)


@pytest.mark.parametrize("copied", [1, 2, 3])
def test_the_start_is_copied_up_to_the_cut_and_equal_behind_it(problem, network, copied):
    """Whoever the copies are from, and whether or not they learn: what is random is the same."""
    other = fitted(problem, network, 5).backbone
    starts = [
        fitted(problem, given, 0, copied=copied, tuned=tuned)
        for given in (network, other)
        for tuned in (False, True)
    ]
    for made, given in zip(starts, (network, network, other, other), strict=True):
        assert equal(states(made.backbone.stages[:copied]), states(given.stages[:copied]))
        assert equal(states(made.backbone.stages[copied:]), states(starts[0].backbone.stages[copied:]))
        assert torch.equal(made.head.weight, starts[0].head.weight)


def test_with_nothing_copied_no_weight_of_the_backbone_matters(problem, network, fresh):
    other = fitted(problem, network, 5).backbone
    a, b = (fitted(problem, given, 20, copied=0).logits(fresh) for given in (network, other))
    assert torch.equal(a, b)
