"""Weights of sources by discrepancy and size."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from regraft.terms.trust import source_weights


@pytest.mark.parametrize("strength", [0.05, 0.3, 1.0, 5.0, 50.0])
@pytest.mark.parametrize("seed", range(4))
def test_is_the_minimum_over_the_simplex(strength, seed):
    luck = np.random.default_rng(seed)
    d, m = luck.uniform(0, 1, 6), luck.integers(5, 200, 6).astype(float)

    def bound(alpha):
        return alpha @ d + strength * np.sqrt((alpha**2 / m).sum())

    ours = source_weights(torch.tensor(d), torch.tensor(m), strength).numpy()
    assert ours.sum() == pytest.approx(1)
    assert (ours >= 0).all()
    starts = [np.full(6, 1 / 6), *np.eye(6)]
    limits = {"bounds": [(0, 1)] * 6, "constraints": {"type": "eq", "fun": lambda a: a.sum() - 1}}
    theirs = min(minimize(bound, start, method="SLSQP", **limits).fun for start in starts)
    assert bound(ours) <= theirs + 1e-7


def test_the_ends():
    d, m = torch.tensor([0.3, 0.1, 0.2]), torch.tensor([10.0, 30.0, 60.0])
    assert source_weights(d, m, 0.0).tolist() == [0.0, 1.0, 0.0]
    torch.testing.assert_close(source_weights(d, m, 1e6), (m / m.sum()).double(), atol=1e-4, rtol=0)
