"""Domain-adversarial training."""

import math

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from regraft.domain import Domain
from regraft.methods.across import critic_of
from regraft.methods.adversarial.dann import DANN
from regraft.problem import Problem
from regraft.trained import Network
from regraft.training import Step


def test_features_climb_what_the_critic_descends():
    """The gradients against those of the two objectives, computed apart."""
    torch.manual_seed(0)
    phi, head, critic = torch.nn.Linear(3, 4), torch.nn.Linear(4, 2), critic_of(4, 5)
    network = Network(phi, head, beside={"critic": critic})
    source, target = Domain(torch.randn(6, 3), ["a", "b"] * 3), Domain(torch.randn(5, 3))
    step = Step(Problem(source=source, target=target), progress=0.1)
    terms = DANN(adversary=0.7).objective(network, step)
    sum(terms.values()).backward()
    found = {name: p.grad.clone() for name, p in network.named_parameters()}
    network.zero_grad()

    z_s, z_t = phi(source.x), phi(target.x)
    side = torch.tensor([1.0] * 6 + [0.0] * 5)
    told_apart = binary_cross_entropy_with_logits(critic(torch.cat([z_s, z_t])).squeeze(1), side)
    risk = torch.nn.functional.cross_entropy(head(z_s), source.y)
    strength = 0.7 * (2 / (1 + math.exp(-1.0)) - 1)
    of_critic = torch.autograd.grad(told_apart, critic.parameters(), retain_graph=True)
    of_features = torch.autograd.grad(risk - strength * told_apart, phi.parameters())
    for (name, _), grad in zip(critic.named_parameters(), of_critic, strict=True):
        torch.testing.assert_close(found[f"beside.critic.{name}"], grad)
    for (name, _), grad in zip(phi.named_parameters(), of_features, strict=True):
        torch.testing.assert_close(found[f"backbone.{name}"], grad)


def test_gains_where_a_column_moved(gain):
    recipe = DANN(epochs=1, least_steps=120, batch_size=64, rate=3e-3, stage_rate=3e-3)
    assert gain(recipe, "a column that moved") > 0.1


def test_harms_where_moons_turned(gain):
    recipe = DANN(epochs=1, least_steps=120, batch_size=64, rate=3e-3, stage_rate=3e-3)
    assert gain(recipe, "moons that turned") < -0.05
