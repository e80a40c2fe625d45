"""AdaMatch."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.methods.self_training.ada_match import AdaMatch, Proportions
from regraft.problem import Problem
from regraft.training import Step


@pytest.fixture
def step():
    source, target = Domain(torch.randn(6, 3), ["a", "b", "c"] * 2), torch.randn(7, 3)
    return Step(Problem(source=source, target=Domain(target)), progress=0.1, weak=target + 0.1)


def networks(recipe, step):
    from regraft.heads import Linear

    head = Linear(4, 3, "float32")
    torch.nn.init.normal_(head.weight, std=2.0)
    return recipe.network(small_mlp(3, widths=(5, 4)), head, step.batch)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("align", [False, True])
def test_the_objective_by_hand(step, soft, align):
    recipe = AdaMatch(consistency=0.7, noise=0.0, threshold=0.9, soft=soft, align=align)
    network = networks(recipe, step)
    with torch.no_grad():
        network.head.weight.add_(torch.randn(3, 4))  # the teacher is where the network was
        network.following["remembered"].target.copy_(torch.tensor([0.6, 0.3, 0.1]))
    terms = recipe.objective(network, step)

    source, strong, teacher = step.batch.source, step.batch.target.x, network.following["teacher"]
    says = network(source.x).softmax(1).detach()
    q = teacher.head(teacher.backbone(step.weak)).softmax(1).detach()
    over = (0.99 / 3 + 0.01 * says.mean(0)) / (0.99 * torch.tensor([0.6, 0.3, 0.1]) + 0.01 * q.mean(0))
    sure, total = 0.9 * says.max(1).values.mean(), 0.0
    for j in range(7):
        chances = q[j] * over if align else q[j]
        chances = chances / chances.sum()
        log_p = network(strong[j : j + 1])[0].log_softmax(0)
        if chances.max() >= sure:
            total = total - (sum(chances * log_p) if soft else log_p[chances.argmax()])
    rise = 0.5 - 0.5 * math.cos(math.pi * 0.1 / 0.3)
    torch.testing.assert_close(terms["consistency"], 0.7 * rise * total / 7)
    torch.testing.assert_close(terms["risk"], cross_entropy(network(source.x), source.y))
    assert terms["consistency"] > 0


def test_scores_between_those_of_two_passes(step):
    recipe = AdaMatch(noise=0.0, interpolate=True)
    network = networks(recipe, step)
    network.backbone.stages.append(torch.nn.BatchNorm1d(4))
    x = step.batch.source.x
    alone = network(x)
    jointly = network(torch.cat([x, step.batch.target.x]))[:6]
    torch.manual_seed(3)
    found = recipe.source_scores(network, step, network.features(x))
    torch.manual_seed(3)
    share = torch.rand(6, 3)
    torch.testing.assert_close(found, (1 - share) * alone + share * jointly)
    assert not torch.allclose(alone, jointly, atol=1e-3)


def test_proportions_that_agree_change_nothing():
    proportions, q = Proportions(3), torch.rand(5, 3).softmax(1)
    torch.testing.assert_close(proportions.aligned(q), q)
    for _ in range(2000):
        proportions.take(torch.tensor([[0.5, 0.3, 0.2]]), torch.tensor([[0.2, 0.3, 0.5]]))
    torch.testing.assert_close(
        proportions.aligned(torch.tensor([[0.2, 0.3, 0.5]])), torch.tensor([[0.5, 0.3, 0.2]])
    )


@pytest.mark.parametrize("memory", [0.99, 0.0])
def test_gains_where_a_column_is_noise(gain, memory):
    recipe = AdaMatch(
        epochs=1, least_steps=150, batch_size=64, rate=3e-3, stage_rate=3e-3, noise=1.0, memory=memory
    )
    assert gain(recipe, "a column that is noise") > 0.1
