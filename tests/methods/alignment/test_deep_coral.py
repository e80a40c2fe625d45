"""Deep CORAL."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from regraft.domain import Domain
from regraft.methods.alignment.deep_coral import DeepCORAL
from regraft.problem import Problem
from regraft.terms.discrepancy import coral
from regraft.trained import Network
from regraft.training import Step


def test_the_objective_is_that_of_numpy():
    torch.manual_seed(0)
    phi, head = torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)
    source, target = Domain(torch.randn(6, 3), ["a", "b"] * 3), Domain(torch.randn(5, 3))
    step = Step(Problem(source=source, target=target), 0.0)
    terms = DeepCORAL(coral_weight=7.0).objective(Network(phi, head), step)
    c_s, c_t = (np.cov(phi(d.x).detach().double().numpy().T) for d in (source, target))
    assert terms["coral"].item() == pytest.approx(7 * ((c_s - c_t) ** 2).sum() / (4 * 4**2), rel=1e-5)
    torch.testing.assert_close(terms["risk"], cross_entropy(head(phi(source.x)), source.y))


def test_means_do_not_matter_and_the_gradient_is_right():
    torch.manual_seed(0)
    s, t = torch.randn(7, 3, dtype=torch.double, requires_grad=True), torch.randn(9, 3, dtype=torch.double)
    torch.testing.assert_close(coral(s, t + 5), coral(s, t))
    torch.testing.assert_close(coral(s, s + 5), torch.zeros((), dtype=torch.double))
    assert torch.autograd.gradcheck(lambda s: coral(s, t), s)


def test_gains_where_a_column_has_another_spread(gain):
    recipe = DeepCORAL(epochs=1, least_steps=150, batch_size=64, rate=3e-3, stage_rate=3e-3)
    assert gain(recipe, "a column that is noise") > 0.05
