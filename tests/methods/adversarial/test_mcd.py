"""MCD."""

import torch
from torch.nn.functional import cross_entropy

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.methods.adversarial.mcd import MCD
from regraft.problem import Problem
from regraft.trained import Network
from regraft.training import Step


def two_heads(classes):
    return Network(
        small_mlp(3, widths=(5, 4)),
        torch.nn.Linear(4, classes),
        beside={"second": torch.nn.Linear(4, classes)},
    )


def test_the_three_objectives():
    torch.manual_seed(0)
    network = two_heads(3)
    phi, head, second = network.backbone, network.head, network.beside["second"]
    source, target = Domain(torch.randn(6, 3), ["a", "b", "c"] * 2), Domain(torch.randn(5, 3))
    step = Step(Problem(source=source, target=target), 0.0)
    turns = MCD(disagreement_weight=0.5).turns(network)
    learn, spread, gather = (sum(turn.objective(network, step).values()) for turn in turns)

    z_s, z_t = phi(source.x), phi(target.x)
    both = cross_entropy(head(z_s), source.y) + cross_entropy(second(z_s), source.y)
    p, q = (h(z_t).exp() / h(z_t).exp().sum(1, keepdim=True) for h in (head, second))
    apart = 0.5 * sum(abs(a - b) for a, b in zip(p.flatten(), q.flatten(), strict=True)) / (5 * 3)
    torch.testing.assert_close(learn, both)
    torch.testing.assert_close(spread, both - apart)
    torch.testing.assert_close(gather, apart)


def test_who_learns_in_which_turn():
    network, recipe = two_heads(2), MCD(feature_steps=3)
    turns = recipe.turns(network)
    modes = [turn.modes(network, recipe.schedule(2)(0.3)) for turn in turns]
    assert [[mode.which == "all" for mode in each] for each in modes] == [
        [True, True, True, True],
        [False, False, True, True],
        [True, True, False, False],
    ]
    assert all(mode.trainable for each in modes for mode in each)  # dropout is on for all
    assert [turn.repeats for turn in turns] == [1, 1, 3]


def test_gains_where_moons_turned(gain):
    recipe = MCD(epochs=1, least_steps=100, batch_size=64, rate=3e-3, stage_rate=3e-3)
    assert gain(recipe, "moons that turned") > 0.02
