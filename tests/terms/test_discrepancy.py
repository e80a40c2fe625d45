import torch

from regraft.terms.discrepancy import median_gammas, mmd2


def by_hand(s, t, gamma, unbiased):
    k = lambda a, b: float((-gamma * (a - b).square().sum()).exp())  # noqa: E731
    n, m, one = len(s), len(t), 1 if unbiased else 0
    ss = sum(k(s[i], s[j]) for i in range(n) for j in range(n) if i != j or not unbiased) / (n * (n - one))
    tt = sum(k(t[i], t[j]) for i in range(m) for j in range(m) if i != j or not unbiased) / (m * (m - one))
    return ss + tt - 2 * sum(k(a, b) for a in s for b in t) / (n * m)


def test_mmd_is_the_sum_over_all_pairs(monkeypatch):
    s, t = torch.randn(7, 3).double(), torch.randn(5, 3).double() + 1
    monkeypatch.setattr("regraft.terms.discrepancy.BLOCK", 2)
    for unbiased in (True, False):
        found = float(mmd2(s, t, [0.3, 0.7], unbiased))
        assert abs(found - (by_hand(s, t, 0.3, unbiased) + by_hand(s, t, 0.7, unbiased)) / 2) < 1e-9


def test_the_unbiased_one_is_zero_on_average():
    values = [float(mmd2(torch.randn(20, 2), torch.randn(20, 2))) for _ in range(100)]
    assert abs(sum(values) / 100) < 0.01
    assert min(values) < 0 < max(values)


def test_widths_are_of_the_median_pair_and_never_of_nothing():
    s, t = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0]])
    assert median_gammas(s, t)[2] == 1 / 4  # squared distances 1, 9, 4
    assert all(gamma > 0 for gamma in median_gammas(torch.zeros(3, 2), torch.zeros(3, 2)))
