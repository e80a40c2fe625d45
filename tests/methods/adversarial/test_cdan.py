"""CDAN."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from regraft.domain import Domain
from regraft.methods.adversarial.cdan import CDAN, DRAWN, LARGEST, ConditionedCritic
from regraft.problem import Problem
from regraft.trained import Network
from regraft.training import Step


@pytest.mark.parametrize("entropy", [False, True])
def test_gradients_are_those_of_the_two_objectives(entropy):
    torch.manual_seed(0)
    phi, head, critic = torch.nn.Linear(3, 4), torch.nn.Linear(4, 2), ConditionedCritic(4, 2, 5)
    network = Network(phi, head, beside={"critic": critic})
    source, target = Domain(torch.randn(6, 3), ["a", "b"] * 3), Domain(torch.randn(5, 3))
    step = Step(Problem(source=source, target=target), progress=0.1)
    terms = CDAN(adversary=0.7, entropy=entropy).objective(network, step)
    sum(terms.values()).backward()
    found = {name: p.grad.clone() for name, p in network.named_parameters()}

    def told_apart(x, side):
        """The mean over one domain's samples, one by one."""
        losses, weights = [], []
        for sample in x:
            z = phi(sample)
            p = head(z).softmax(0).detach()
            score = critic.critic(torch.outer(p, z).flatten())
            losses.append(binary_cross_entropy_with_logits(score, torch.tensor([side])))
            weights.append(1 + math.exp((p * p.log()).sum()) if entropy else 1.0)
        return sum(w * loss for w, loss in zip(weights, losses, strict=True)) / sum(weights)

    domain = (told_apart(source.x, 1.0) + told_apart(target.x, 0.0)) / 2
    torch.testing.assert_close(terms["domain"], domain)
    risk = cross_entropy(head(phi(source.x)), source.y)
    strength = 0.7 * (2 / (1 + math.exp(-1.0)) - 1)
    expected = {
        "beside.critic": (torch.autograd.grad(domain, critic.parameters(), retain_graph=True), critic),
        "head": (torch.autograd.grad(risk, head.parameters(), retain_graph=True), head),
        "backbone": (torch.autograd.grad(risk - strength * domain, phi.parameters()), phi),
    }
    for part, (grads, module) in expected.items():
        for (name, _), grad in zip(module.named_parameters(), grads, strict=True):
            torch.testing.assert_close(found[f"{part}.{name}"], grad)


def test_random_sums_keep_products_of_inner_products():
    """⟨T(z, p), T(z', p')⟩ is ⟨z, z'⟩ ⟨p, p'⟩ on average, which is what all products have exactly."""
    torch.manual_seed(0)
    few, many = ConditionedCritic(4, 3, 2), ConditionedCritic(LARGEST, 3, 2)
    assert (few.drawn, many.drawn) == (False, True)
    z, p = torch.randn(2, 4), torch.rand(2, 3)
    a, b = few.conditioned(z, p)
    torch.testing.assert_close(a @ b, (z[0] @ z[1]) * (p[0] @ p[1]))
    many.of_z = many.of_z[:, :4]  # the features behind are 0
    products = []
    for _ in range(100):
        many.of_z, many.of_p = torch.randn(DRAWN, 4), torch.randn(DRAWN, 3)
        drawn = many.conditioned(z, p)
        assert drawn.shape == (2, DRAWN)
        products.append(drawn[0] @ drawn[1])
    spread = torch.stack(products).std() / 10
    assert abs(torch.stack(products).mean() - a @ b) < 4 * spread


def test_gains_where_a_column_moved(gain):
    recipe = CDAN(epochs=1, least_steps=120, batch_size=64, rate=3e-3, stage_rate=3e-3)
    assert gain(recipe, "a column that moved") > 0.05
