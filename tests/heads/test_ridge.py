"""The least-squares head against scikit-learn and against leaving out by hand."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.linear_model import Ridge, RidgeClassifier

from regraft.errors import InputError
from regraft.heads.ridge import (
    fit_known_numbers,
    fit_numbers_each,
    fit_ridge,
    fit_ridge_each,
    solved_by_pairs,
    solved_ridge,
)


def blobs(n, d, k, seed=0, noise=2.0):
    random = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % k
    centres = torch.randn(k, d, generator=random, dtype=torch.float64)
    return centres[y] + noise * torch.randn(n, d, generator=random, dtype=torch.float64) + 3, y


@pytest.mark.parametrize(("n", "d", "k"), [(30, 8, 3), (20, 50, 4), (25, 25, 2)])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_scikit_learns_ridge(n, d, k, weighted):
    x, y = blobs(n, d, k)
    weight = torch.rand(n, dtype=torch.float64) + 0.1 if weighted else None
    fit = fit_ridge(x, y, k, strengths=[3.0], weight=weight)
    theirs = RidgeClassifier(alpha=3.0).fit(x, y, sample_weight=weight)
    coef = np.atleast_2d(theirs.coef_)  # with two classes scikit-learn has one row, for the second
    ours, bias = (part.numpy()[-len(coef) :] / fit.sharpness for part in (fit.weight, fit.bias))
    np.testing.assert_allclose(ours, coef, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(bias, theirs.intercept_, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("n", "d"), [(20, 5), (16, 40)])
@pytest.mark.parametrize("weighted", [False, True])
def test_leaving_out_is_exact(n, d, weighted):
    x, y = blobs(n, d, 3, noise=3.0)
    weight = torch.rand(n, dtype=torch.float64) + 0.1 if weighted else torch.ones(n, dtype=torch.float64)
    strengths = [0.1, 10.0, 1000.0]
    fit = fit_ridge(x, y, 3, strengths=strengths, weight=weight)
    for alpha, loss in zip(strengths, fit.losses, strict=True):
        scores = []
        for i in range(n):
            others = np.arange(n) != i
            model = RidgeClassifier(alpha=alpha).fit(x[others], y[others], sample_weight=weight[others])
            scores.append(model.decision_function(x[i : i + 1])[0])

        def cross_entropy(log_beta, scores=tuple(scores)):
            log = log_softmax(np.exp(log_beta) * np.array(scores), axis=1)[np.arange(n), y]
            return -np.average(log, weights=weight)

        best = minimize_scalar(cross_entropy, bounds=(-4.6, 4.6), method="bounded", options={"xatol": 1e-9})
        assert loss == pytest.approx(best.fun, rel=1e-5)
    assert fit.strength == strengths[int(fit.losses.argmin())]


def test_the_grid_follows_the_scale_of_x():
    x, y = blobs(30, 50, 3)
    small, large = fit_ridge(x, y, 3), fit_ridge(1000 * x, y, 3)
    torch.testing.assert_close(small.losses, large.losses)
    torch.testing.assert_close(small.weight, 1000 * large.weight)


def test_a_weight_of_two_is_the_sample_twice():
    x, y = blobs(20, 6, 3)
    weight = torch.ones(20)
    weight[:4] = 2
    twice = torch.cat([x, x[:4]]), torch.cat([y, y[:4]])
    a = fit_ridge(x, y, 3, strengths=[2.0], weight=weight)
    b = fit_ridge(*twice, 3, strengths=[2.0])
    torch.testing.assert_close(a.weight / a.sharpness, b.weight / b.sharpness)


def test_float32_and_duplicates_and_constant_columns():
    x, y = blobs(12, 6, 3)
    x = torch.cat([x, x])
    x[:, 2] = 5
    fit = fit_ridge(x.float(), torch.cat([y, y]), 3)
    assert fit.weight.dtype == torch.float64
    assert fit.weight[:, 2].abs().max() < 1e-9
    assert (x @ fit.weight.T + fit.bias).argmax(1).shape == (24,)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("d", [0, 1, 5])
@pytest.mark.parametrize("classes", [2, 4])
def test_few_samples(n, d, classes):
    x, y = torch.randn(n, d), torch.arange(n) % classes
    fit = fit_ridge(x, y, classes)
    scores = x.double() @ fit.weight.T + fit.bias
    assert torch.isfinite(scores).all()
    assert set(scores.argmax(1).tolist()) <= set(y.tolist())


def test_a_class_without_samples_changes_nothing_else():
    x, y = blobs(30, 8, 3)
    fit, gap = fit_ridge(x, y, 3), fit_ridge(x, y + (y > 0), 5)
    torch.testing.assert_close(gap.weight[[0, 2, 3]], fit.weight)
    assert not gap.weight[[1, 4]].any()
    assert set((x @ gap.weight.T + gap.bias).argmax(1).tolist()) <= {0, 2, 3}


@pytest.mark.parametrize(("n", "d"), [(30, 6), (30, 80)])
@pytest.mark.parametrize("weighted", [False, True])
def test_subsets_together_are_what_they_are_alone(n, d, weighted):
    """Of two sizes, with constant columns, and one of them without the last class."""
    x, y = blobs(n, d, 3)
    x[:, 1] = 4
    weight = torch.rand(n, dtype=torch.float64) + 0.1 if weighted else None
    random = torch.Generator().manual_seed(1)
    kept = [torch.randperm(n, generator=random)[:size] for size in (20, 20, 25)]
    kept.append((y < 2).nonzero()[:, 0])
    for rows, fit in zip(kept, fit_ridge_each(x, y, 3, kept, weight=weight), strict=True):
        alone = fit_ridge(x[rows], y[rows], 3, weight=None if weight is None else weight[rows])
        assert fit.strength == pytest.approx(alone.strength)
        torch.testing.assert_close(fit.losses, alone.losses)
        torch.testing.assert_close(x @ fit.weight.T + fit.bias, x @ alone.weight.T + alone.bias)


@pytest.mark.parametrize("d", [4, 60])
def test_how_many_are_solved_at_once_changes_nothing(d, monkeypatch):
    x, y = blobs(40, d, 3)
    kept = [torch.arange(40)[torch.arange(40) % 5 != i] for i in range(5)]
    together = fit_ridge_each(x, y, 3, kept)
    monkeypatch.setattr("regraft.heads.ridge.TOGETHER", 1)
    for one, other in zip(together, fit_ridge_each(x, y, 3, kept), strict=True):
        assert one.strength == other.strength
        torch.testing.assert_close(one.weight, other.weight)
        torch.testing.assert_close(one.bias, other.bias)


def test_an_outlier_in_one_subset_changes_no_other():
    x, y = blobs(40, 80, 3)
    kept = [torch.arange(8, 40), torch.arange(32)]
    changed = x.clone()
    changed[0] += 1e8
    before, after = (fit_ridge_each(data, y, 3, kept)[0] for data in (x, changed))
    torch.testing.assert_close(before.weight, after.weight)


def test_same_input_same_bytes():
    x, y = blobs(40, 60, 4)
    assert torch.equal(fit_ridge(x, y, 4).weight, fit_ridge(x, y, 4).weight)


def test_bad_input_is_named():
    x, y = blobs(6, 3, 2)
    with pytest.raises(InputError, match="NaN"):
        fit_ridge(x * torch.nan, y, 2)
    with pytest.raises(InputError, match="positive"):
        fit_ridge(x, y, 2, strengths=[0.0])


def amounts(n, d, k, seed=0):
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=random, dtype=torch.float64) + 3
    y = x @ torch.randn(d, k, generator=random, dtype=torch.float64) * torch.logspace(0, 4, k)
    return x, y + y.std(0) * torch.randn(n, k, generator=random, dtype=torch.float64) + 7


@pytest.mark.parametrize(("n", "d", "k"), [(40, 8, 3), (20, 50, 2), (15, 15, 1)])
@pytest.mark.parametrize("weighted", [False, True])
def test_numbers_are_scikit_learns_ridge(n, d, k, weighted):
    """With the α of the lowest left-out squared error for each number."""
    x, y = amounts(n, d, k)
    weight = torch.rand(n, dtype=torch.float64) + 0.1 if weighted else None
    strengths = [0.1, 10.0, 1000.0]
    [fit] = fit_numbers_each(x, y, [torch.arange(n)], strengths=strengths, weight=weight)
    for j in range(k):
        errors = []
        for alpha in strengths:
            off = []
            for i in range(n):
                rest = np.arange(n) != i
                model = Ridge(alpha=alpha).fit(x[rest], y[rest, j], None if weight is None else weight[rest])
                off.append(float(model.predict(x[i : i + 1])[0] - y[i, j]) ** 2)
            errors.append(np.average(off, weights=weight))
        assert fit.strength[j] == strengths[int(np.argmin(errors))]
        assert fit.loss[j] == pytest.approx(min(errors), rel=1e-6)
        best = Ridge(alpha=float(fit.strength[j])).fit(x, y[:, j], weight)
        np.testing.assert_allclose(fit.weight[j], best.coef_, rtol=1e-6, atol=1e-8 * abs(best.coef_).max())
        assert fit.bias[j] == pytest.approx(best.intercept_, rel=1e-6)


@pytest.mark.parametrize("d", [6, 60])
def test_subsets_of_numbers_together_are_what_they_are_alone(d):
    x, y = amounts(40, d, 2)
    kept = [torch.arange(30), torch.arange(10, 40), torch.arange(25)]
    for rows, fit in zip(kept, fit_numbers_each(x, y, kept), strict=True):
        [alone] = fit_numbers_each(x[rows], y[rows], [torch.arange(len(rows))])
        torch.testing.assert_close(x @ fit.weight.T + fit.bias, x @ alone.weight.T + alone.bias)


def test_unknown_numbers_are_left_out_of_their_own_regression_alone():
    x, y = amounts(30, 5, 2)
    known = torch.ones(30, 2, dtype=torch.bool)
    known[:12, 1] = False
    y[:12, 1] = 0.0
    [fit] = fit_known_numbers(x, y, [torch.arange(30)], known)
    [first] = fit_numbers_each(x, y[:, :1], [torch.arange(30)])
    [second] = fit_numbers_each(x[12:], y[12:, 1:], [torch.arange(18)])
    torch.testing.assert_close(fit.weight, torch.cat([first.weight, second.weight]))
    torch.testing.assert_close(fit.bias, torch.cat([first.bias, second.bias]))


def test_a_single_sample_is_its_own_mean():
    [fit] = fit_numbers_each(torch.ones(1, 3), torch.tensor([[5.0]]), [torch.arange(1)])
    assert (fit.weight.abs().max().item(), fit.bias.item()) == (0.0, 5.0)


def test_one_strength_is_solved_by_samples_as_by_columns():
    luck = torch.Generator().manual_seed(3)
    x, t = torch.randn(20, 40, generator=luck).double(), torch.randn(20, 3, generator=luck).double()
    weight = torch.rand(20, generator=luck).double()
    weight[:3] = 0
    by_columns = solved_ridge(x, t, weight, 0.3)
    a, b = solved_by_pairs(x @ x.T, t, weight, 0.3)
    torch.testing.assert_close(a.T @ x, by_columns[0])
    torch.testing.assert_close(b, by_columns[1])
    assert not a[:3].any()
    apart = Ridge(0.3).fit(x.numpy(), t.numpy(), sample_weight=weight.numpy())
    torch.testing.assert_close(by_columns[0], torch.from_numpy(apart.coef_))
    torch.testing.assert_close(by_columns[1], torch.from_numpy(apart.intercept_))


@pytest.mark.parametrize("small", [1e-12, 1e-30, 1e-320])
def test_samples_that_weigh_next_to_nothing_are_as_good_as_left_out(small):
    luck = torch.Generator().manual_seed(3)
    x, t = torch.randn(20, 40, generator=luck).double(), torch.randn(20, 3, generator=luck).double()
    weight = torch.ones(20).double()
    without, nearly = (weight.where(torch.arange(20) >= 5, torch.tensor(w).double()) for w in (0.0, small))
    (a, b), (c, d) = (solved_by_pairs(x @ x.T, t, w, 0.3) for w in (without, nearly))
    torch.testing.assert_close(c.T @ x, a.T @ x, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(d, b, atol=1e-9, rtol=1e-9)
