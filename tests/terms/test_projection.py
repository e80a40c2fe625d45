"""The nearest point of a set."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from regraft.terms.projection import onto_box_and_slab


@pytest.mark.parametrize("shift", [-2.0, 0.0, 0.5, 3.0])
def test_is_the_nearest_of_the_box_and_the_slab(shift):
    v = torch.randn(6, generator=torch.Generator().manual_seed(1)).double() + shift
    found = onto_box_and_slab(v, 2.0, 0.9, 1.1)
    slab = [
        {"type": "ineq", "fun": lambda w: w.mean() - 0.9},
        {"type": "ineq", "fun": lambda w: 1.1 - w.mean()},
    ]
    best = minimize(
        lambda w: np.square(w - v.numpy()).sum(), np.ones(6), bounds=[(0, 2)] * 6, constraints=slab, tol=1e-12
    )
    torch.testing.assert_close(found, torch.from_numpy(best.x), atol=1e-5, rtol=0)
