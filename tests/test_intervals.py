import numpy as np
import pytest
import torch
from scipy.stats import t as student

from regraft.intervals import Interval, effective, paired_gain, share


def zeros(n):
    return torch.zeros(n, dtype=torch.long)


@pytest.mark.parametrize(("right", "n"), [(8, 10), (40, 50), (0, 20), (20, 20)])
def test_share_has_wilsons_middle_and_covers_the_value(right, n):
    interval = share(torch.cat([torch.ones(right), torch.zeros(n - right)]), zeros(n))
    z2 = 1.959964**2
    middle = (right + z2 / 2) / (n + z2)
    half = 1.959964 * np.sqrt(middle * (1 - middle) / (n + z2))
    assert interval.value == pytest.approx(right / n)
    assert interval.low == pytest.approx(min(max(0, middle - half), right / n))
    assert interval.high == pytest.approx(max(min(1, middle + half), right / n))


@pytest.mark.parametrize("p", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("n", [20, 50, 200])
def test_share_covers_the_truth_in_95_of_100(p, n):
    drawn = np.random.default_rng(0).binomial(n, p, 4000)
    covered = 0
    for right in range(n + 1):
        interval = share(torch.cat([torch.ones(right), torch.zeros(n - right)]), zeros(n))
        covered += (interval.low <= p <= interval.high) * (drawn == right).sum()
    assert covered / 4000 > 0.93


def test_models_of_folds_widen_it():
    """Agresti and Coull by hand, times √(1 + 2/4) for five folds, with Student's t."""
    correct = torch.cat([torch.ones(30), torch.zeros(10)])
    n = 40 + 1.959964**2
    p = (30 + 1.959964**2 / 2) / n
    half = student.ppf(0.975, 39) * np.sqrt(1.5 * p * (1 - p) / n)
    found = share(correct, zeros(40), overlap=0.25)
    assert (found.value, found.low, found.high) == pytest.approx((0.75, p - half, p + half))


def test_gain_by_hand():
    """Bonett & Price: b = 10, c = 2 of n = 50."""
    ours = torch.cat([torch.ones(10), torch.zeros(2), torch.ones(38)])
    theirs = torch.cat([torch.zeros(10), torch.ones(2), torch.ones(38)])
    p1, p2, n = 11 / 52, 3 / 52, 52
    half = 1.5 * np.sqrt((p1 + p2 - (p1 - p2) ** 2) / n)
    gain = paired_gain(ours, theirs, zeros(50))
    assert gain.value == pytest.approx(8 / 50)
    assert gain.low == pytest.approx(p1 - p2 - half)
    assert gain.high == pytest.approx(p1 - p2 + half)


def test_gain_of_fractions_by_hand():
    """Of what ten repeats smooth, half counts as certainty: the mean of p₁ + p₂ and the mean square."""
    luck = np.random.default_rng(0)
    ours, theirs = luck.binomial(10, 0.8, 30) / 10, luck.binomial(10, 0.6, 30) / 10
    d = ours - theirs
    p1, p2, squares = (
        (total + extra) / 32 for total, extra in ((d[d > 0].sum(), 1), (-d[d < 0].sum(), 1), (d @ d, 2))
    )
    half = 1.5 * np.sqrt(((p1 + p2 + squares) / 2 - (p1 - p2) ** 2) / 32)
    gain = paired_gain(torch.tensor(ours), torch.tensor(theirs), zeros(30))
    assert (gain.value, gain.low, gain.high) == pytest.approx((d.mean(), p1 - p2 - half, p1 - p2 + half))


@pytest.mark.parametrize("n", [20, 50, 200])
def test_no_gain_is_rarely_called_one(n):
    generator = torch.Generator().manual_seed(0)
    called = 0
    for _ in range(1000):
        ours, theirs = (torch.rand(n, generator=generator) < 0.8 for _ in range(2))
        called += paired_gain(ours.double(), theirs.double(), zeros(n)).low > 0
    assert called / 1000 < 0.08


def test_strata_count_alike():
    correct, stratum = torch.tensor([1.0] * 90 + [0.0] * 10), torch.tensor([0] * 90 + [1] * 10)
    assert share(correct, stratum).value == pytest.approx(0.5)
    assert paired_gain(correct, torch.zeros(100), stratum).value == pytest.approx(0.5)


def clustered(generator, shares):
    """Sixty samples by themselves and five groups of sixty, with a share of right ones in each group."""
    group = torch.cat([torch.arange(60), torch.arange(60, 65).repeat_interleave(60)])
    chance = torch.cat([torch.full((60,), shares.mean()), shares.repeat_interleave(60)])
    return (torch.rand(360, generator=generator) < chance).double(), group


def test_groups_of_unequal_size_are_not_taken_for_evidence():
    """With no gain on average but a lot of it within groups, "helps" stays rare, and the truth is covered."""
    generator = torch.Generator().manual_seed(0)
    helps = covered = 0
    for _ in range(400):
        shares = 0.5 + 0.45 * (2 * torch.rand(5, generator=generator) - 1)
        ours, group = clustered(generator, shares)
        theirs, _ = clustered(generator, 0.5 + 0.45 * (2 * torch.rand(5, generator=generator) - 1))
        helps += paired_gain(ours, theirs, zeros(360), group).low > 0
        interval = share(ours, zeros(360), group)
        covered += interval.low <= 0.5 <= interval.high
    assert helps / 400 < 0.08
    assert covered / 400 > 0.92


def test_groups_that_tell_nothing_cost_little_and_copies_count_once():
    generator = torch.Generator().manual_seed(1)
    values = (torch.rand(400, generator=generator) < 0.7).double()
    pairs = torch.arange(400) // 2
    assert effective(values, pairs) > 250
    copies = values[:200].repeat_interleave(2)
    assert effective(copies, pairs) == pytest.approx(200, rel=0.05)
    assert effective(values, torch.arange(400)) == 400
    assert effective(torch.ones(400), pairs) == pytest.approx(200)


def test_prints_in_points():
    assert Interval(-0.021, -0.05, 0.01).points() == "−2.1 points [−5.0, +1.0]"
