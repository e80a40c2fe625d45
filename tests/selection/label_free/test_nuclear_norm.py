"""The nuclear norm of what is said of the target."""

import numpy as np
import pytest

from regraft.selection.label_free import NuclearNorm


@pytest.mark.parametrize(("m", "k"), [(20, 3), (3, 7)])
def test_it_is_the_trace_of_the_root_over_the_most(trial, m, k):
    one = trial(m=m, k=k)
    p = one.of_target.exp().numpy()
    by_hand = np.sqrt(np.linalg.eigvalsh(p.T @ p).clip(0)).sum() / np.sqrt(m * min(m, k))
    assert NuclearNorm()(one) == pytest.approx(by_hand, abs=1e-6)


def test_certain_and_even_is_1_and_a_collapse_is_not(trial, sure):
    even, collapsed, uneven = (
        NuclearNorm()(trial(of_target=sure(said, 4)))
        for said in ([0, 1, 2, 3] * 5, [1] * 20, [0] * 17 + [1, 2, 3])
    )
    assert even == pytest.approx(1)
    assert collapsed == pytest.approx(1 / 2)
    assert collapsed < uneven < even  # as its docstring warns
