"""The logistic head against scikit-learn: the optimum, the search, and what samples it may be given."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_predict
from threadpoolctl import threadpool_limits

from regraft.errors import InputError
from regraft.heads.logistic import REFIT_TOLERANCE, STRENGTHS, fit_logistic, fit_logistic_each
from regraft.heads.path import Path
from regraft.heads.problems import DOUBLE, Problems
from regraft.heads.rotation import rotate


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """scikit-learn's threads wait for each other longer than they work on problems this small."""
    with threadpool_limits(1):
        yield


def blobs(n, d, k, seed=0, noise=1.5):
    random = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % k
    centres = torch.randn(k, d, generator=random, dtype=torch.float64)
    return centres[y] + noise * torch.randn(n, d, generator=random, dtype=torch.float64) + 3, y


def objective(x, y, weight, bias, strength, samples=None):
    """½ ‖W‖² + C Σ wᵢ ℓᵢ, written once more."""
    scores = x.numpy() @ np.asarray(weight).T + np.asarray(bias)
    largest = scores.max(1)
    each = largest + np.log(np.exp(scores - largest[:, None]).sum(1)) - scores[np.arange(len(y)), y]
    return (
        0.5 * (np.asarray(weight) ** 2).sum()
        + strength * (each * (1 if samples is None else samples.numpy())).sum()
    )


@pytest.mark.parametrize(("n", "d", "k"), [(60, 5, 3), (40, 100, 4), (90, 30, 7)])
@pytest.mark.parametrize("strength", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_optimum_is_scikit_learns(n, d, k, strength, weighted):
    x, y = blobs(n, d, k)
    samples = torch.rand(n, dtype=torch.float64) * 3 if weighted else None
    fit = fit_logistic(x, y, k, strengths=[strength], weight=samples)
    theirs = LogisticRegression(C=strength, tol=1e-8, max_iter=10_000).fit(x, y, sample_weight=samples)
    best = objective(x, y, theirs.coef_, theirs.intercept_, strength, samples)
    assert objective(x, y, fit.weight, fit.bias, strength, samples) <= best * (1 + 1e-6)
    scores = (x @ fit.weight.T + fit.bias).softmax(1)
    np.testing.assert_allclose(scores, theirs.predict_proba(x), atol=2e-3)


@pytest.mark.parametrize("strength", [1e-2, 1.0, 30.0])
def test_two_classes_are_the_one_vector_problem(strength):
    x, y = blobs(50, 80, 2)
    fit = fit_logistic(x, y, 2, strengths=[strength])
    theirs = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(x, y)
    w, b = (fit.weight[1] - fit.weight[0]).numpy(), float(fit.bias[1] - fit.bias[0])

    def one_vector(w, b):
        return (
            0.5 * (w**2).sum() + strength * np.logaddexp(0, -(2 * y.numpy() - 1) * (x.numpy() @ w + b)).sum()
        )

    assert one_vector(w, b) <= one_vector(theirs.coef_[0], theirs.intercept_[0]) * (1 + 1e-6)
    torch.testing.assert_close(fit.weight[0], -fit.weight[1])


@pytest.mark.parametrize(("n", "d", "k", "noise"), [(100, 6, 2, 2.0), (45, 90, 3, 3.0), (50, 10, 5, 1.5)])
def test_the_search_finds_what_scikit_learn_finds(n, d, k, noise):
    x, y = blobs(n, d, k, noise=noise)
    folds = [torch.arange(i, n, 5 * k)[:, None].add(torch.arange(k)).flatten() for i in range(0, 5 * k, k)]
    folds = [rows[rows < n] for rows in folds]
    strengths = STRENGTHS[:6]  # the weakest take scikit-learn minutes at this tolerance
    fit = fit_logistic(x, y, k, strengths=strengths, folds=folds)
    splits = [(np.setdiff1d(np.arange(n), rows), rows.numpy()) for rows in folds]
    losses = []
    for strength in strengths:
        model = LogisticRegression(C=strength, tol=1e-6, max_iter=10_000)
        losses.append(log_loss(y, cross_val_predict(model, x, y, cv=splits, method="predict_proba")))
    ours = fit.losses.numpy()
    tried = ~np.isnan(ours)
    np.testing.assert_allclose(ours[tried], np.array(losses)[tried], atol=1e-3)
    assert fit.strength == strengths[int(np.argmin(losses))]


@pytest.mark.parametrize("seed", range(4))
def test_cautious_is_the_simplest_within_one_standard_error_of_the_lowest_error(seed):
    x, y = blobs(120, 20, 3, seed=seed, noise=2.5)
    folds = [torch.arange(i, 120, 5) for i in range(5)]
    (bold,) = fit_logistic_each(x, y, 3, [torch.arange(120)], [folds])
    (fit,) = fit_logistic_each(x, y, 3, [torch.arange(120)], [folds], cautious=True)
    errors = {}
    for strength, loss in zip(fit.strengths.tolist(), fit.losses.tolist(), strict=True):
        if math.isnan(loss):
            continue
        wrong = 0
        for rows in folds:
            kept = torch.tensor([i for i in range(120) if i not in rows.tolist()])
            theirs = LogisticRegression(C=strength, tol=1e-8, max_iter=10_000).fit(x[kept], y[kept])
            wrong += int((theirs.predict(x[rows]) != y[rows].numpy()).sum())
        errors[strength] = wrong / 120
    least = min(errors.values())
    bound = least + math.sqrt(least * (1 - least) / 120)
    assert fit.strength == min(strength for strength, error in errors.items() if error <= bound)
    assert fit.strength < bold.strength
    theirs = LogisticRegression(C=fit.strength, tol=1e-8, max_iter=10_000).fit(x, y)
    best = objective(x, y, theirs.coef_, theirs.intercept_, fit.strength)
    assert objective(x, y, fit.weight, fit.bias, fit.strength) <= best * (1 + 1e-6)


def test_strengths_may_come_in_any_order():
    x, y = blobs(60, 10, 3)
    a = fit_logistic(x, y, 3)
    b = fit_logistic(x, y, 3, strengths=STRENGTHS[::-1])
    assert a.strength == b.strength
    torch.testing.assert_close(a.losses, b.losses.flip(0), equal_nan=True)
    assert torch.equal(a.weight, b.weight)


def test_losing_strengths_are_left_out():
    x, y = blobs(60, 10, 3, noise=4.0)
    fit = fit_logistic(x, y, 3)
    best = int(fit.losses.nan_to_num(torch.inf).argmin())
    assert fit.losses[best + 1] > 1.01 * fit.losses[best]
    assert fit.losses[: best + 2].isfinite().all()
    assert fit.losses[best + 2 :].isnan().all()


def test_a_weight_of_two_is_the_sample_twice():
    x, y = blobs(30, 8, 3)
    weight = torch.ones(30)
    weight[:5] = 2
    a = fit_logistic(x, y, 3, strengths=[1.0], weight=weight)
    b = fit_logistic(torch.cat([x, x[:5]]), torch.cat([y, y[:5]]), 3, strengths=[1.0])
    torch.testing.assert_close(a.weight, b.weight, atol=1e-4, rtol=1e-3)


def test_a_weight_of_zero_is_the_sample_left_out():
    x, y = blobs(30, 50, 3)
    weight = torch.ones(30)
    weight[20:] = 0
    a = fit_logistic(x, y, 3, strengths=[1.0], weight=weight)
    b = fit_logistic(x[:20], y[:20], 3, strengths=[1.0])
    torch.testing.assert_close(a.weight, b.weight, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("d", [0, 1, 7])
@pytest.mark.parametrize("classes", [1, 2, 4])
def test_few_samples(n, d, classes):
    x, y = torch.randn(n, d), torch.arange(n) % classes
    fit = fit_logistic(x, y, classes)
    scores = x.double() @ fit.weight.T + fit.bias
    assert torch.isfinite(scores).all()
    assert set(scores.argmax(1).tolist()) <= set(y.tolist())


def test_without_features_it_predicts_the_shares():
    fit = fit_logistic(torch.zeros(4, 2), torch.tensor([0, 0, 0, 1]), 2)
    torch.testing.assert_close(fit.bias.softmax(0), torch.tensor([0.75, 0.25], dtype=torch.float64))


def test_a_class_without_samples_changes_nothing_else():
    x, y = blobs(40, 60, 3)
    fit, gap = fit_logistic(x, y, 3), fit_logistic(x, y + (y > 0), 5)
    assert gap.strength == fit.strength
    assert torch.equal(gap.weight[[0, 2, 3]], fit.weight)
    assert not gap.weight[[1, 4]].any()
    far = 100 * torch.randn(200, 60, dtype=torch.float64)
    assert set((far @ gap.weight.T + gap.bias).argmax(1).tolist()) <= {0, 2, 3}


def test_one_class_alone_is_always_predicted():
    fit = fit_logistic(torch.randn(5, 3), torch.full((5,), 2), 4)
    assert int(fit.bias.argmax()) == 2
    assert not fit.weight.any()


def test_a_fold_may_lack_a_class():
    x, y = blobs(31, 5, 3)
    y[:] = y.clamp_max(1)
    y[-1] = 2  # the only sample of its class: one fold trains without it
    fit = fit_logistic(x, y, 3)
    assert fit.losses[:3].isfinite().all()
    folds = [torch.arange(i, 31, 5) for i in range(5)]
    given = fit_logistic(x, y, 3, folds=folds, strengths=[0.01, 0.1])
    total, counted = np.zeros(2), 0
    for rows in folds:
        kept = np.setdiff1d(np.arange(31), rows)
        judged = rows[torch.isin(y[rows], y[kept])].numpy()
        counted += len(judged)
        for s, strength in enumerate([0.01, 0.1]):
            # scikit-learn solves two classes as one vector, so a fold with two of three needs C doubled
            c = strength * (2 if len(y[kept].unique()) == 2 else 1)
            model = LogisticRegression(C=c, tol=1e-8, max_iter=10_000).fit(x[kept], y[kept])
            total[s] += log_loss(y[judged], model.predict_proba(x[judged]), labels=model.classes_) * len(
                judged
            )
    np.testing.assert_allclose(given.losses, total / counted, atol=1e-3)


def test_duplicated_rows_and_constant_columns():
    x, y = blobs(20, 6, 3)
    x[:, 1] = 7
    fit = fit_logistic(torch.cat([x, x]), torch.cat([y, y]), 3)
    assert torch.isfinite(fit.weight).all()
    assert fit.weight[:, 1].abs().max() < 1e-9


def test_where_no_fold_can_judge_the_strength_is_one():
    fit = fit_logistic(torch.randn(3, 4), torch.arange(3), 3, strengths=[0.01, 1.0, 100.0])
    assert fit.strength == 1.0
    assert fit.losses.isnan().all()


def test_the_scale_and_place_of_x_do_not_matter_but_through_the_penalty():
    x, y = blobs(40, 10, 3)
    a = fit_logistic(x, y, 3, strengths=[1.0])
    b = fit_logistic(x * 1000 + 1e5, y, 3, strengths=[1e-6])
    torch.testing.assert_close(a.weight, b.weight * 1000, rtol=1e-3, atol=1e-4)


def test_same_input_same_bytes():
    x, y = blobs(50, 70, 4)
    a, b = (fit_logistic(x, y, 4) for _ in range(2))
    assert torch.equal(a.weight, b.weight)
    assert torch.equal(a.bias, b.bias)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": torch.full((6, 2), math.nan)}, "NaN"),
        ({"x": torch.zeros(5, 2)}, "shape"),
        ({"y": torch.tensor([0, 1, 2, 3, 0, 1])}, "codes"),
        ({"strengths": [1.0, -1.0]}, "positive"),
        ({"weight": torch.zeros(6)}, "weight"),
    ],
)
def test_bad_input_is_named(changed, message):
    given = {"x": torch.randn(6, 2), "y": torch.arange(6) % 3, "classes": 3}
    with pytest.raises(InputError, match=message):
        fit_logistic(**(given | changed))


def subsets(n, count, kept):
    generator = torch.Generator().manual_seed(3)
    return [torch.randperm(n, generator=generator)[:kept] for _ in range(count)]


def inside(rows, folds):
    """The folds as positions in `rows`."""
    position = {int(row): i for i, row in enumerate(rows)}
    return [torch.tensor([position[int(row)] for row in fold]) for fold in folds]


@pytest.mark.parametrize("weighted", [False, True])
def test_subsets_together_are_what_they_are_alone(weighted):
    x, y = blobs(60, 20, 3, noise=2.0)
    weight = torch.rand(60, dtype=torch.float64) + 0.5 if weighted else None
    kept = subsets(60, 4, 45)
    folds = [[rows[i::5] for i in range(5)] for rows in kept]
    together = fit_logistic_each(x, y, 3, kept, folds, weight=weight)
    for rows, each, fit in zip(kept, folds, together, strict=True):
        mine = None if weight is None else weight[rows]
        alone = fit_logistic(x[rows], y[rows], 3, folds=inside(rows, each), weight=mine)
        assert alone.strength == fit.strength
        torch.testing.assert_close(fit.weight, alone.weight, atol=2e-3, rtol=2e-3)


def test_relative_strengths_are_those_of_features_scaled_by_each_training_set():
    x, y = blobs(60, 20, 3, noise=2.0)
    x[:20] *= 2
    kept = subsets(60, 3, 45)
    for rows, fit in zip(
        kept,
        fit_logistic_each(x, y, 3, kept, [[]] * 3, relative=True, strengths=[0.1]),
        strict=True,
    ):
        centred = x[rows] - x[rows].mean(0)
        scale = float(centred.square().mean().sqrt())
        alone = fit_logistic(centred / scale, y[rows], 3, strengths=[0.1])
        torch.testing.assert_close(fit.weight, alone.weight / scale, atol=1e-4, rtol=2e-3)


def test_relative_losses_are_those_of_folds_scaled_by_themselves():
    x, y = blobs(40, 6, 2, noise=3.0)
    folds = [torch.arange(i, 40, 4) for i in range(4)]
    (fit,) = fit_logistic_each(x, y, 2, [torch.arange(40)], [folds], relative=True, strengths=[0.01, 0.1, 1])
    losses = np.zeros(3)
    for rows in folds:
        seen = np.setdiff1d(np.arange(40), rows)
        centre, scale = x[seen].mean(0), (x[seen] - x[seen].mean(0)).square().mean().sqrt()
        u = ((x - centre) / scale).numpy()
        for s, strength in enumerate([0.01, 0.1, 1]):
            model = LogisticRegression(C=strength, tol=1e-8, max_iter=10_000).fit(u[seen], y[seen])
            losses[s] += log_loss(y[rows], model.predict_proba(u[rows]), labels=[0, 1]) / 4
    np.testing.assert_allclose(fit.losses[:2], losses[:2], atol=1e-3)


def test_what_leaves_out_the_same_two_folds_is_solved_once(monkeypatch):
    x, y = blobs(50, 6, 2, noise=3.0)
    parts = [torch.arange(i, 50, 5) for i in range(5)]
    kept = [torch.cat(parts[:i] + parts[i + 1 :]) for i in range(5)]
    folds = [parts[:i] + parts[i + 1 :] for i in range(5)]
    solved, made = [], Problems.of.__func__

    def counted(cls, rotation, y, samples, masks, *rest):
        solved.append(len(masks))
        return made(cls, rotation, y, samples, masks, *rest)

    monkeypatch.setattr(Problems, "of", classmethod(counted))
    fits = fit_logistic_each(x, y, 2, kept, folds)
    assert solved == [10, 5, 5]  # the pairs of five folds, and the five refits in either precision
    for rows, each, fit in zip(kept, folds, fits, strict=True):
        alone = fit_logistic(x[rows], y[rows], 2, folds=inside(rows, each))
        assert alone.strength == fit.strength
        torch.testing.assert_close(fit.losses, alone.losses, atol=1e-3, rtol=1e-3, equal_nan=True)


@pytest.mark.parametrize("k", [2, 5])
def test_samples_that_are_all_but_certain_cost_a_search_no_steps(k, monkeypatch):
    """Losses of a millionth, beside a 1 that single precision would round them to."""
    x, y = blobs(60, 300, k, noise=0.3)
    steps, until = [], Path._until

    def counted(path, settled, enough):
        def and_count(share):
            steps.append(path.precision)
            return settled(share)

        until(path, and_count, enough)

    monkeypatch.setattr(Path, "_until", counted)
    fit = fit_logistic(x, y, k)
    assert float(fit.losses.nan_to_num(9).min()) < 0.01
    assert len(steps) < 150


def test_a_subset_that_lacks_a_class_is_solved_by_itself():
    y = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 2])
    x = torch.arange(9.0)[:, None]
    kept = [torch.arange(8), torch.arange(9)]
    lacking, having = fit_logistic_each(x, y, 3, kept, [[], []], strengths=[1.0])
    alone = fit_logistic(x[:8], y[:8], 3, strengths=[1.0])
    torch.testing.assert_close(lacking.weight, alone.weight)
    assert having.bias[2] > -30


def test_subsets_that_are_solved_early_stay_where_they_are():
    """Strengths far apart take different numbers of steps; those that are done must not drift."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(10) % 2
    x = 20 * torch.rand(10, 300, generator=generator, dtype=torch.float64)
    kept = [torch.randperm(10, generator=generator)[:8] for _ in range(30)]
    strengths = torch.logspace(-5, 7, 30, dtype=torch.float64)
    each = np.zeros((30, 10))
    for mask, rows in zip(each, kept, strict=True):
        mask[rows.numpy()] = 1
    rotation = rotate(x)
    path = Path(Problems.of(rotation, y, torch.ones(10, dtype=torch.float64), each, None, DOUBLE))
    path.solve(strengths.numpy() * 0.5, REFIT_TOLERANCE)
    for rows, strength, solved in zip(kept, strengths.tolist(), torch.from_numpy(path.weight), strict=True):
        alone = fit_logistic(x[rows], y[rows], 2, strengths=[strength])
        weight, bias = rotation.back(solved[:, :-1], solved[:, -1])
        ours, theirs = x @ weight.T + bias, x @ alone.weight.T + alone.bias
        torch.testing.assert_close(ours.softmax(1), theirs.softmax(1), atol=5e-3, rtol=0)


@pytest.mark.parametrize("least", [1e-40, 1e-36, 1e-20, 0.0])
def test_samples_of_no_weight_to_speak_of_are_left_out(least):
    x, y = blobs(30, 4, 3)
    weight = torch.ones(30, dtype=torch.float64)
    weight[::4] = least
    fit, without = fit_logistic(x, y, 3, weight=weight), fit_logistic(x[weight == 1], y[weight == 1], 3)
    assert fit.losses[:3].isfinite().all()
    if least == 0.0:
        return
    alone = fit_logistic(x[weight == 1], y[weight == 1], 3, strengths=[fit.strength])
    torch.testing.assert_close(fit.weight, alone.weight, atol=1e-4, rtol=1e-3)
    assert without.weight.isfinite().all()


def test_a_class_whose_samples_weigh_nothing_is_never_predicted():
    x, y = blobs(30, 4, 3)
    weight = (y != 2).double()
    fit, alone = fit_logistic(x, y, 3, weight=weight), fit_logistic(x[y != 2], y[y != 2], 3)
    assert fit.bias[2] == -30
    assert not fit.weight[2].any()
    assert alone.bias[2] == -30


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e25, 1e40])
def test_any_scale_of_x(scale):
    """Numbers whose squares single precision cannot hold are searched in double."""
    x, y = blobs(60, 10, 3, noise=2.0)
    strengths = [s / scale**2 for s in (1e-3, 1e-2, 1e-1)]
    fit, usual = (
        fit_logistic(x * scale, y, 3, strengths=strengths),
        fit_logistic(x, y, 3, strengths=[1e-3, 1e-2, 0.1]),
    )
    assert fit.strength * scale**2 == pytest.approx(usual.strength)
    torch.testing.assert_close(fit.weight * scale, usual.weight, atol=1e-3, rtol=1e-3)


def test_an_outlier_in_one_subset_changes_no_other():
    x, y = blobs(60, 10, 3, noise=2.0)
    kept = [torch.arange(12, 60), torch.arange(48)]
    folds = [[rows[i::4] for i in range(4)] for rows in kept]
    changed = x.clone()
    changed[0] += 1e7
    before, after = (fit_logistic_each(data, y, 3, kept, folds)[0] for data in (x, changed))
    assert before.strength == after.strength
    torch.testing.assert_close(before.weight, after.weight, atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("left_out", range(1, 6))
def test_one_sample_against_few_is_solved(left_out, relative):
    """Three directions in a plane of one weight and one bias: what rounding makes of them is not followed."""
    x = torch.tensor([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]], dtype=torch.float64)
    x = (x - x.mean()) / x.std(correction=0)
    keep = [i for i in range(6) if i != left_out]
    x, y = x[keep], torch.tensor([0, 1, 1, 1, 1])
    folds = [torch.tensor([i]) for i in (0, 4, 1, 3, 2)]
    (fit,) = fit_logistic_each(x, y, 2, [torch.arange(5)], [folds], relative=relative)
    strength = fit.strength / (float((x - x.mean()).square().mean()) if relative else 1.0)
    theirs = LogisticRegression(C=strength, tol=1e-12, max_iter=10_000).fit(x.numpy(), y.numpy())
    ours = (fit.weight[1] - fit.weight[0]).numpy(), (fit.bias[1] - fit.bias[0]).item()
    np.testing.assert_allclose(ours[0], theirs.coef_[0], rtol=1e-2)
    assert ours[1] == pytest.approx(theirs.intercept_[0], rel=1e-2)
