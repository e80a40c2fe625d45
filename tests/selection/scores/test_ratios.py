import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from regraft.selection.scores.ratios import Ratios


def drawn(n=30, parts=3, repeats=2):
    luck = torch.Generator().manual_seed(0)
    below = torch.rand(repeats, n, parts, generator=luck, dtype=torch.float64) + 0.1
    return Ratios(below * torch.rand(repeats, n, parts, generator=luck, dtype=torch.float64), below)


def test_it_is_the_mean_of_ratios_of_sums():
    ratios = drawn()
    a, b = ratios.above.numpy(), ratios.below.numpy()
    assert ratios.value == pytest.approx(np.mean(a.sum((0, 1)) / b.sum((0, 1))))


def test_contributions_are_those_of_leaving_one_out():
    ratios = drawn()
    n = ratios.above.shape[1]
    rest = [torch.arange(n) != i for i in range(n)]
    without = [Ratios(ratios.above[:, rows], ratios.below[:, rows]).value for rows in rest]
    found = ratios.contributions().numpy()
    assert found.mean() == pytest.approx(ratios.value)
    np.testing.assert_allclose(found - found.mean(), -(n - 1) * (without - np.mean(without)), atol=1e-12)


def test_a_part_without_samples_has_no_say():
    ratios = drawn(parts=2)
    ratios.below[:, :, 1] = ratios.above[:, :, 1] = 0
    alone = Ratios(ratios.above[:, :, :1], ratios.below[:, :, :1])
    assert ratios.value == pytest.approx(alone.value)
    torch.testing.assert_close(ratios.contributions(), alone.contributions())


def test_samples_drawn_twice_count_twice():
    ratios, rows = drawn(), torch.randint(0, 30, (30,), generator=torch.Generator().manual_seed(1))
    again = Ratios(ratios.above[:, rows], ratios.below[:, rows])
    times = torch.bincount(rows, minlength=30).double()[None]
    assert float(ratios.values(times)) == pytest.approx(again.value)


def test_f1_is_one_of_them():
    luck = torch.Generator().manual_seed(2)
    y, said = ((torch.rand(40, 3, generator=luck) < 0.4).double() for _ in range(2))
    found = Ratios((2 * y * said)[None], (y + said)[None]).value
    assert found == pytest.approx(f1_score(y, said, average="macro"))
