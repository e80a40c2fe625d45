"""How often each class occurs."""

import numpy as np
import torch
from scipy.optimize import minimize

from regraft.terms.label_shift import bbse_weights, em_priors


def test_em_is_the_maximum_of_the_likelihood():
    luck = torch.Generator().manual_seed(0)
    log_p = (2 * torch.randn(200, 3, generator=luck) + torch.tensor([1.0, 0.0, 0.0])).double().log_softmax(1)
    source = torch.tensor([0.5, 0.3, 0.2]).double()

    def loss(theta):
        pi = torch.from_numpy(np.append(theta, 0.0)).softmax(0)
        return -float((log_p.exp() @ (pi / source)).log().sum())

    best = torch.from_numpy(np.append(minimize(loss, np.zeros(2), tol=1e-10).x, 0.0)).softmax(0)
    torch.testing.assert_close(em_priors(log_p, source), best, atol=1e-4, rtol=0)


def test_em_of_what_the_source_says_of_itself_are_its_own_shares():
    source = torch.tensor([0.6, 0.4]).double()
    p = torch.tensor([[0.9, 0.1], [0.3, 0.7]]).double().repeat(5, 1)  # their mean is the source's
    torch.testing.assert_close(em_priors(p.log(), source), source, atol=1e-5, rtol=0)


def test_bbse_is_the_inverse_where_that_is_possible():
    confusion = np.array([[0.35, 0.05, 0.02], [0.1, 0.2, 0.03], [0.05, 0.05, 0.15]])
    wanted = np.array([0.4, 1.5, 1.72])
    wanted /= confusion.sum(0) @ wanted
    found = bbse_weights(torch.from_numpy(confusion), torch.from_numpy(confusion @ wanted))
    np.testing.assert_allclose(found, np.linalg.solve(confusion, confusion @ wanted), atol=1e-5)


def test_bbse_is_the_least_square_with_weights_above_0():
    luck = np.random.default_rng(0)
    confusion = 0.3 * np.eye(3) + 0.02 * luck.random((3, 3))
    confusion /= confusion.sum()
    said, priors, ridge = np.array([0.9, 0.1, 0.0]), confusion.sum(0), 0.05

    def loss(w):
        return 1e3 * (np.square(confusion @ w - said).sum() + ridge**2 * (priors * (w - 1) ** 2).sum())

    whole = {"type": "eq", "fun": lambda w: priors @ w - 1}
    best = minimize(loss, np.ones(3), bounds=[(0, None)] * 3, constraints=whole, tol=1e-14).x
    found = bbse_weights(torch.from_numpy(confusion), torch.from_numpy(said), ridge)
    np.testing.assert_allclose(found, best, atol=1e-3)
    assert found.min() == 0


def test_bbse_stays_at_1_where_a_classifier_says_nothing():
    confusion = torch.tensor([[0.25, 0.25], [0.25, 0.25]])
    found = bbse_weights(confusion, torch.tensor([0.5, 0.5]), 0.1)
    torch.testing.assert_close(found, torch.ones(2).double())


def test_bbse_leaves_a_class_that_was_not_shown():
    confusion = torch.tensor([[0.4, 0.1, 0.0], [0.1, 0.4, 0.0], [0.0, 0.0, 0.0]])
    found = bbse_weights(confusion, torch.tensor([0.65, 0.35, 0.0]))
    torch.testing.assert_close(found, torch.tensor([1.5, 0.5, 1.0]).double(), atol=1e-5, rtol=0)
