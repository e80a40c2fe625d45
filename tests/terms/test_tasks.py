"""Which tasks to label."""

from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from regraft.errors import InputError
from regraft.terms.tasks import tasks_to_label, weighted_tasks


def three_families():
    """Seven tasks around three points, and their distances."""
    at = np.array([0.0, 0.05, 0.1, 0.5, 0.55, 0.95, 1.0])
    return torch.tensor(np.abs(at[:, None] - at)), torch.full((7,), 400.0, dtype=torch.float64)


def test_the_bound_by_an_independent_minimisation():
    apart, sizes = three_families()
    found = weighted_tasks(apart, sizes, [1, 3, 6], strength=2.0)
    total = 0.0
    for t in range(7):
        d, m = apart[t, [1, 3, 6]].numpy(), sizes[[1, 3, 6]].numpy()

        def of_task(alpha, d=d, m=m):
            return alpha @ d + 2.0 * np.sqrt((alpha**2 / m).sum())

        limits = {"bounds": [(0, 1)] * 3, "constraints": {"type": "eq", "fun": lambda a: a.sum() - 1}}
        total += min(minimize(of_task, s, method="SLSQP", **limits).fun for s in [*np.eye(3), [1 / 3] * 3])
    assert found.bound == pytest.approx(total / 7, abs=1e-6)
    torch.testing.assert_close(found.weights.sum(1), torch.ones(7, dtype=torch.float64))
    assert (found.weights[:, [0, 2, 4, 5]] == 0).all()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_is_the_best_of_all_choices_where_these_can_be_counted(number):
    apart, sizes = three_families()
    every = [weighted_tasks(apart, sizes, some, 0.3).bound for some in combinations(range(7), number)]
    assert tasks_to_label(apart, sizes, number, 0.3).bound == pytest.approx(min(every))


def test_one_of_each_family():
    apart, sizes = three_families()
    assert [t in (0, 1, 2) for t in tasks_to_label(apart, sizes, 3).labelled].count(True) == 1


def test_says_how_many_there_are():
    apart, sizes = three_families()
    with pytest.raises(InputError, match="8 of 7 tasks"):
        tasks_to_label(apart, sizes, 8)
