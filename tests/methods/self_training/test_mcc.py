"""MCC."""

import math

import pytest
import torch

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.methods.self_training.mcc import MCC
from regraft.problem import Problem
from regraft.terms.confusion import class_confusion
from regraft.trained import Network
from regraft.training import Step


def by_loop(scores, temperature):
    """The confusion of rows of scores, number by number."""
    chances = []
    for row in scores:
        powers = [math.exp(s / temperature) for s in row]
        chances.append([a / sum(powers) for a in powers])
    sure = [1 + math.exp(sum(a * math.log(a) for a in row)) for row in chances]
    n, k = len(chances), len(chances[0])
    c = [[0.0] * k for _ in range(k)]
    for i in range(n):
        for j in range(k):
            for other in range(k):
                c[j][other] += n * sure[i] / sum(sure) * chances[i][j] * chances[i][other]
    return sum(c[j][other] / sum(c[j]) for j in range(k) for other in range(k) if other != j) / k


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_confusion_is_the_formula(temperature):
    scores = 3 * torch.randn(9, 4)
    expected = by_loop(scores.tolist(), temperature)
    assert class_confusion(scores, temperature).item() == pytest.approx(expected, rel=1e-5)


def test_sure_and_even_answers_are_not_confused():
    assert class_confusion(99 * torch.eye(3), 1.0).item() == pytest.approx(0, abs=1e-6)
    # where one class takes all, the others' rows say that each is confused with it
    assert class_confusion(9 * torch.eye(3)[[0, 0, 0]], 1.0).item() > 0.6


def test_no_gradient_goes_through_the_weights():
    scores = torch.randn(5, 3).requires_grad_()
    class_confusion(scores, 2.0).backward()
    p = (scores.detach() / 2).softmax(1)
    weight = 1 + (p * p.log()).sum(1).exp()
    weight = 5 * weight / weight.sum()
    again = scores.detach().requires_grad_()
    p = (again / 2).softmax(1)
    c = torch.einsum("i,ij,il->jl", weight, p, p)
    (((c / c.sum(1, keepdim=True)) * (1 - torch.eye(3))).sum() / 3).backward()
    torch.testing.assert_close(scores.grad, again.grad)


def test_the_objective():
    source, target = Domain(torch.randn(6, 3), ["a", "b"] * 3), torch.randn(5, 3)
    network = Network(small_mlp(3, widths=(5, 4)), torch.nn.Linear(4, 2))
    step = Step(Problem(source=source, target=Domain(target)), 0.0)
    found = MCC(confusion=0.5, temperature=1.5).objective(network, step)["confusion"].item()
    assert found == pytest.approx(0.5 * by_loop(network(target).tolist(), 1.5), rel=1e-5)


def test_gains_where_a_column_moved(gain):
    recipe = MCC(epochs=1, least_steps=120, batch_size=64, rate=3e-3, stage_rate=3e-3)
    assert gain(recipe, "a column that moved") > 0.1
