"""GroupDRO."""

import math

import pytest
import torch

from regraft.backbones import small_mlp
from regraft.errors import InputError
from regraft.heads import Linear
from regraft.methods.several_sources.coral_across import CORALAcross
from regraft.methods.several_sources.group_dro import GroupDRO, Shares
from regraft.problem import Problem
from regraft.trained import Network
from regraft.training import Step


def test_shares_and_risk_of_one_step_by_hand(uneven, columns):
    source = uneven[torch.tensor([0, 1, 2, 180])]
    network = Network(columns, Linear.of(torch.tensor([[1.0, 0.5], [-1.0, 0.0]]), torch.zeros(2)))
    network.following["shares"] = Shares(2)
    recipe = GroupDRO(group_rate=0.7)
    told = recipe.objective(network, Step(Problem(source=source), 0.0))
    loss = torch.nn.functional.cross_entropy(network(source.x), source.y, reduction="none").tolist()
    large, small = sum(loss[:3]) / 3, loss[3]
    q = [0.5 * math.exp(0.7 * large), 0.5 * math.exp(0.7 * small)]
    q = [each / sum(q) for each in q]
    assert network.following["shares"].q.tolist() == pytest.approx(q)
    assert told["risk"].item() == pytest.approx(q[0] * large + q[1] * small)


def test_the_worst_source_is_better_than_if_all_samples_are_pooled(uneven):
    other = uneven.with_(y=torch.where(uneven.origin == 1, 1 - uneven.y, uneven.y), x=uneven.x[:, :1].clone())
    other.x[180:] = uneven.x[180:, 1:]  # the small source says the opposite

    def worst(recipe):
        log_p = recipe.fit(Problem(source=other), small_mlp(1)).probabilities(other).log()
        loss = -log_p[torch.arange(200), other.y]
        return max(float(loss[other.origin == one].mean()) for one in (0, 1))

    brief = {"epochs": 5, "least_steps": 60}
    assert worst(GroupDRO(group_rate=0.1, **brief)) < 0.8 * worst(CORALAcross(coral_weight=0.0, **brief))


def test_one_source_is_none_of_several(uneven):
    with pytest.raises(InputError, match="several are compared"):
        GroupDRO().fit(Problem(source=uneven[:50]), small_mlp(2))
