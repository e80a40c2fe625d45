"""What flows along a graph."""

import numpy as np
import scipy.sparse
import torch
from sklearn.semi_supervised import LabelSpreading

from regraft.terms.propagation import propagated


def test_the_limit_of_label_spreading():
    luck = np.random.default_rng(0)
    x = luck.normal(size=(60, 3))
    near = np.square(x[:, None] - x).sum(2)
    w = np.exp(-near) * (near < np.quantile(near, 0.2))
    np.fill_diagonal(w, 0)
    y = np.full(60, -1)
    y[:9] = np.arange(9) % 3
    peer = LabelSpreading(kernel=lambda a, b: w, alpha=0.8, max_iter=2000, tol=1e-14).fit(x, y)
    given = torch.zeros(60, 3)
    given[torch.arange(9), torch.arange(9) % 3] = 1
    found = propagated(scipy.sparse.csr_array(w), given, 0.8)
    reached = found.sum(1) > 0
    share = (found / found.sum(1, keepdim=True))[reached].numpy()
    np.testing.assert_allclose(share, peer.label_distributions_[reached], atol=1e-6)


def test_it_solves_its_equation_and_leaves_what_is_joined_to_nothing():
    w = np.random.default_rng(1).random((8, 8))
    w = w + w.T
    w[7] = w[:, 7] = 0
    given = torch.rand(8, 2)
    root = np.diag([*w[:7].sum(1) ** -0.5, 0.0])
    exact = np.linalg.solve(np.eye(8) - 0.99 * root @ w @ root, given.double().numpy())
    found = propagated(scipy.sparse.csr_array(w), given, 0.99)
    np.testing.assert_allclose(found.numpy(), exact, rtol=1e-6)
    torch.testing.assert_close(found[7], given[7].double())
