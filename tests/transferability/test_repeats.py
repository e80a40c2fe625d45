import math

import pytest
import torch
from scipy.stats import ttest_1samp

from regraft.transferability.repeats import at_once, below_to_the_end, excludes_zero, over_repeats


@pytest.mark.parametrize("r", [2, 3, 5, 10])
def test_without_overlap_it_is_the_interval_of_the_t_test(r):
    values = torch.randn(r, dtype=torch.float64)
    expected = ttest_1samp(values.numpy(), 0).confidence_interval(0.95)
    found = over_repeats(values, overlap=0.0)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_overlap_widens_as_nadeau_and_bengio_say():
    values = torch.tensor([0.1, 0.3, 0.2, 0.25], dtype=torch.float64)
    plain, paid = over_repeats(values, 0.0), over_repeats(values, 0.25)
    assert (paid.high - paid.low) / (plain.high - plain.low) == pytest.approx(math.sqrt(1 + 4 * 0.25))


def holm(p, risk):
    """Which hypotheses Holm's procedure rejects, as his paper words it."""
    rejected = [False] * len(p)
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        if p[i] > risk / (len(p) - rank):
            break
        rejected[i] = True
    return rejected


def test_at_once_rejects_what_holm_rejects():
    generator = torch.Generator().manual_seed(0)
    seen = set()
    for _ in range(50):
        shift = torch.tensor([0.0, 0.5, 1.0, 2.0])[:, None]
        several = list(shift + 0.5 * torch.randn(4, 5, dtype=torch.float64, generator=generator))
        p = [float(ttest_1samp(values.numpy(), 0).pvalue) for values in several]
        found = [excludes_zero(interval) for interval in at_once(several, overlap=0.0)]
        assert found == holm(p, 0.05)
        seen.add(sum(found))
    assert len(seen) > 2


def test_of_many_means_that_are_zero_few_exclude_it():
    generator = torch.Generator().manual_seed(1)
    draws = torch.randn(400, 6, 4, dtype=torch.float64, generator=generator)
    wrong = sum(any(map(excludes_zero, at_once(list(several), overlap=0.0))) for several in draws)
    assert wrong / len(draws) < 0.08  # 5 % and two and a half standard errors


def test_looked_at_from_the_last_back_few_zeros_are_taken_for_drops():
    """The last two means are below zero, the others are not: a wrong claim begins before the last two."""
    shift = torch.tensor([0.0, 0.0, 0.0, -20.0, -20.0])[:, None]
    draws = shift + torch.randn(400, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    starts = [below_to_the_end([over_repeats(values, 0.0) for values in several]) for several in draws]
    assert None not in starts
    assert sum(start < 3 for start in starts) / len(draws) < 0.05  # 2.5 % and three standard errors
