"""DeepJDOT."""

import itertools
import sys

import pytest
import torch

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods.transport.deep_jdot import DeepJDOT
from regraft.problem import Problem
from regraft.trained import Network
from regraft.training import Step


def test_the_plan_is_the_best_of_all_and_a_constant():
    """Between equally many samples the cheapest plan is a permutation, found here by trying all."""
    pytest.importorskip("ot")
    torch.manual_seed(0)
    phi, head = torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)
    source, target = Domain(torch.randn(6, 3), ["a", "b"] * 3), Domain(torch.randn(6, 3))
    recipe, network = DeepJDOT(transport_weight=0.5, distance=0.3), Network(phi, head)
    found = recipe.objective(network, Step(Problem(source=source, target=target), 0.0))["transport"]

    z_s, z_t = phi(source.x), phi(target.x)
    logits = head(z_t).log_softmax(1)
    cost = [
        [0.3 * (a - b).square().sum() - logits[j, y] for j, b in enumerate(z_t)]
        for a, y in zip(z_s, source.y, strict=True)
    ]
    plans = itertools.permutations(range(6))
    best = min(plans, key=lambda plan: sum(cost[i][j].item() for i, j in enumerate(plan)))
    expected = 0.5 * sum(cost[i][j] for i, j in enumerate(best)) / 6
    torch.testing.assert_close(found, expected)
    everything = [*phi.parameters(), *head.parameters()]
    gradients = (torch.autograd.grad(loss, everything) for loss in (found, expected))
    for p, q in zip(*gradients, strict=True):
        torch.testing.assert_close(p, q, atol=1e-5, rtol=1e-4)


def test_gains_where_moons_turned(gain):
    pytest.importorskip("ot")
    recipe = DeepJDOT(epochs=1, least_steps=80, batch_size=64, rate=3e-3, stage_rate=3e-3)
    assert gain(recipe, "moons that turned") > 0.05


def test_says_what_is_missing(away, monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(InputError, match=r"pip install 'regraft\[transport\]'"):
        DeepJDOT().fit(away.only(DeepJDOT.needs), small_mlp(20))
