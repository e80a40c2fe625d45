"""Multinomial logistic regression that chooses its strength: all folds of a strength are solved together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..folds import dealt
from .fit import NEVER, LinearFit, check_samples, check_strengths
from .path import Path
from .problems import DOUBLE, SINGLE, Array, HeldOut, Precision, Problems
from .rotation import Rotation, far_apart, rotate

STRENGTHS = tuple(np.logspace(-4, 4, 10).tolist())
# the refit ends with a step that promises less than this share of the objective, which is about what is left
REFIT_TOLERANCE = 1e-7
# and one whose predictions are all that is wanted, with this: single precision tells no less
PREDICTS = 1e-5
# samples that weigh less than this share of the heaviest count for nothing
NOTHING = 1e-12
# weights times strengths up to which, and down to the inverse of which, single precision serves
SAFE = 1e15
# a strength that costs this much more than the one before is past the best
WORSE = 1.01


def fit_logistic(
    x: Float[Tensor, "n d"],
    y: Int[Tensor, " n"],
    classes: int,
    *,
    strengths: Sequence[float] = STRENGTHS,
    folds: Sequence[Int[Tensor, " m"]] | None = None,
    seed: int = 0,
    weight: Float[Tensor, " n"] | None = None,
) -> LinearFit:
    """min_{W,b} ½ ‖W‖² + C Σ wᵢ ℓ(W xᵢ + b, yᵢ)  with the C of the lowest cross-validated loss

    ℓ is the cross-entropy of the softmax, w the samples' weights (1 without), b is not penalised: the
    problem of scikit-learn's `LogisticRegression`, with the same optimum. With two classes scikit-learn
    has one vector w for the second class; W = (−w/2, w/2) gives the same probabilities, and is the optimum
    of the softmax with C/2, which is what is solved then.

    strengths: the values of C, in any order. One alone is not searched for: no cross-validation.
    folds: the held-out rows of each fold; without them, five stratified ones shuffled by `seed`.
    losses: the mean held-out cross-entropy. Strengths are tried from small C to large; once the loss has
    risen by a hundredth, or twice in a row, the rest is left out (NaN). A sample whose class is missing
    from the other folds says nothing about C and is not counted; if none counts, C is nearest to 1.
    The search computes in float32, where that holds the numbers, and ends where the losses move by less than
    a two-thousandth, which leaves them within about a thousandth of the optimum's; the refit is in float64.
    Samples that weigh less than 10⁻¹² of the heaviest are left out.

    A class without samples gets W = 0 and b = −30, under which it is never predicted and the others are
    as if it did not exist.

    >>> x = torch.tensor([[0.0], [1.0], [2.0], [3.0]], dtype=torch.float64)
    >>> fit = fit_logistic(x, torch.tensor([0, 0, 1, 1]), 2, strengths=[1.0])
    >>> (x @ fit.weight.T + fit.bias).argmax(1)
    tensor([0, 0, 1, 1])
    """
    check_samples(x, y, classes, weight)
    every = torch.arange(len(x))
    held_out = dealt(y.cpu(), 5, seed) if folds is None else [rows.cpu() for rows in folds]
    (fit,) = fit_logistic_each(x, y, classes, [every], [held_out], strengths=strengths, weight=weight)
    return fit


def fit_logistic_each(
    x: Float[Tensor, "n d"],
    y: Int[Tensor, " n"],
    classes: int,
    kept: Sequence[Int[Tensor, " m"]],
    folds: Sequence[Sequence[Int[Tensor, " h"]]],
    *,
    relative: bool = False,
    cautious: bool = False,
    strengths: Sequence[float] = STRENGTHS,
    weight: Float[Tensor, " n"] | None = None,
    tolerance: float = REFIT_TOLERANCE,
) -> list[LinearFit]:
    """`fit_logistic` on each of several subsets of the rows, all solved together.

    kept: the rows of each subset. folds: for each subset the held-out rows of its folds, as rows of x.
    relative: C is over the mean square of the centred x, of each fit's own training samples.
    cautious: C is not that of the lowest held-out loss but the smallest whose held-out error is at most one
    standard error √(e (1 − e) / n) above the lowest, e: of the simplest heads that tell the held-out samples
    as well, for samples that are of another kind (Breiman et al., Classification and Regression Trees, 1984,
    section 3.4.3).
    tolerance: a fit ends with a step that promises less than this share of the objective, about what is left.

    Small problems cost their operations more than their arithmetic, so the fifty training sets of ten
    times five folds are solved in little more than the time of one. Training sets that several subsets
    have in common, as those that leave out the same two folds, are solved once.

    >>> x, y = torch.arange(8.0)[:, None], torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    >>> rows = [torch.arange(7), torch.arange(1, 8)]
    >>> [first, last] = fit_logistic_each(x, y, 2, rows, [[], []], strengths=[1.0])
    >>> alone = fit_logistic(x[:7], y[:7], 2, strengths=[1.0])
    >>> torch.allclose(first.weight, alone.weight, atol=1e-4)
    True
    """
    samples = check_samples(x, y, classes, weight).cpu()
    values = check_strengths(strengths)
    counts = samples > NOTHING * samples.max()
    kept = [rows[counts[rows]] for rows in kept]
    present = y.cpu()[counts].unique()
    codes = torch.searchsorted(present, y.cpu()).clamp_max(len(present) - 1)
    how: dict[str, Any] = {
        "relative": relative,
        "cautious": cautious,
        "strengths": strengths,
        "tolerance": tolerance,
    }
    alone = any(len(y[rows].unique()) < len(present) for rows in kept)
    rotation = rotate(x.cpu(), None if weight is None else samples)
    if alone or (len(kept) > 1 and far_apart(rotation.z, kept)):
        return [_alone(x, y, classes, *subset, weight, **how) for subset in zip(kept, folds, strict=True)]
    # in units of its root mean square z is near 1, whose squares any precision holds
    unit = float(rotation.z.square().mean().sqrt()) if rotation.z.any() else 1.0
    rotation = replace(rotation, z=rotation.z / unit, eigenvalues=rotation.eigenvalues / unit**2)
    columns = x.shape[1] if relative else None
    scale = (0.5 if len(present) == 2 else 1.0) * (1.0 if relative else unit**2)
    subsets = _masks(kept, len(x))
    single = SINGLE if _in_range(values * scale, samples[counts]) else DOUBLE
    losses = torch.full((len(kept), len(values)), torch.nan, dtype=torch.float64)
    chosen, start = np.full(len(kept), int(values.log().abs().argmin())), None
    if len(values) > 1 and len(present) > 1:
        problem = (rotation, codes, samples, columns, subsets, folds, values * scale)
        start = _search(*problem, losses, chosen, single, cautious)
    for precision in dict.fromkeys((single, DOUBLE) if tolerance < PREDICTS else (single,)):
        path = Path(Problems.of(rotation, codes, samples, subsets, columns, precision), start)
        if len(present) > 1:
            path.solve(values.numpy()[chosen] * scale, PREDICTS if precision is SINGLE else tolerance)
        start = path.weight
    fits = []
    for i, solved in enumerate(torch.from_numpy(start).double()):
        full_weight = torch.zeros(classes, x.shape[1], dtype=torch.float64)
        full_bias = torch.full((classes,), NEVER, dtype=torch.float64)
        full_weight[present], bias = rotation.back(solved[:, :-1] / unit, solved[:, -1])
        full_bias[present] = bias - bias.mean()
        strength = float(values[chosen[i]])
        fits.append(LinearFit(full_weight.to(x.device), full_bias.to(x.device), strength, values, losses[i]))
    return fits


def _alone(
    x: Tensor,
    y: Tensor,
    classes: int,
    rows: Tensor,
    folds: Sequence[Tensor],
    weight: Tensor | None,
    **how: Any,
) -> LinearFit:
    """A subset by itself, as one has to be that lacks a class the others have."""
    position = torch.full((len(x),), -1)
    position[rows] = torch.arange(len(rows))
    inside = [position[fold][position[fold] >= 0] for fold in folds]
    mine = None if weight is None else weight[rows]
    (fit,) = fit_logistic_each(
        x[rows], y[rows], classes, [torch.arange(len(rows))], [inside], weight=mine, **how
    )
    return fit


def _search(
    rotation: Rotation,
    y: Int[Tensor, " n"],
    samples: Float[Tensor, " n"],
    columns: int | None,
    subsets: Array,
    folds: Sequence[Sequence[Int[Tensor, " m"]]],
    strengths: Float[Tensor, " s"],
    losses: Float[Tensor, "t s"],
    chosen: npt.NDArray[np.int64],
    precision: Precision,
    cautious: bool,
) -> Array | None:
    """Fill in the loss of each strength and the best of each subset; gives their folds' mean solutions."""
    found = _problems_of_folds(y, samples, subsets, folds)
    if found is None:
        return None
    masks, held_out = found
    problems = Problems.of(rotation, y, samples, masks, columns, precision)
    path, owner, t = Path(problems), held_out.owner, len(subsets)
    start = np.zeros((t, *path.weight.shape[1:]))
    share = np.zeros((t, len(masks)))
    share[owner, held_out.problem] = 1 / np.bincount(owner)[owner]
    best, last, rises = np.full(t, np.inf), np.full(t, np.inf), np.zeros(t)
    searching, wrong = share.any(1), np.full((t, len(strengths)), np.inf)
    for i in strengths.argsort(stable=True).tolist():
        loss = np.bincount(owner, path.search(float(strengths[i]), held_out), t)
        losses[torch.from_numpy(searching), i] = torch.from_numpy(loss[searching])
        if cautious:
            wrong[searching, i] = np.bincount(owner, held_out.loss(path.wrong()), t)[searching]
        better = searching & (loss < best)
        chosen[better], best[better] = i, loss[better]
        start[better] = (share[better] @ path.weight.reshape(len(masks), -1)).reshape(-1, *start.shape[1:])
        rises = np.where(loss > last, rises + 1, 0)
        searching &= (rises < 2) & (loss <= WORSE * last)
        if not searching.any():
            break
        last = loss
    if cautious:
        found = np.isfinite(wrong).any(1)
        chosen[found] = _simplest(wrong[found], held_out.samples(t)[found], strengths)
    return start


def _simplest(wrong: Array, samples: Array, strengths: Float[Tensor, " s"]) -> npt.NDArray[np.int64]:
    """For each row of held-out errors the smallest strength within one standard error of the lowest."""
    least = wrong.min(1)
    error = np.sqrt(least * (1 - least) / samples)
    near = wrong <= (least + error)[:, None]
    found: npt.NDArray[np.int64] = np.where(near, strengths.numpy(), np.inf).argmin(1)
    return found


def _problems_of_folds(
    y: Int[Tensor, " n"],
    samples: Float[Tensor, " n"],
    subsets: Array,
    folds: Sequence[Sequence[Int[Tensor, " m"]]],
) -> tuple[Array, HeldOut] | None:
    """The training sets of all folds, each once, and the folds that leave something to learn and judge by."""
    owner = np.repeat(np.arange(len(folds)), [len(each) for each in folds])
    if not len(owner):
        return None
    out = _masks([rows for each in folds for rows in each], len(y))
    masks = subsets[owner] * (1 - out)
    seen = (masks * samples.numpy()) @ np.eye(int(y.max()) + 1)[y.numpy()] > 0  # q k
    weight = subsets[owner] * out * samples.numpy() * seen[:, y.numpy()]
    useful = (weight.sum(1) > 0) & (seen.sum(1) > 1)
    if not useful.any():
        return None
    owner, weight = owner[useful], weight[useful]
    weight /= np.bincount(owner, weight.sum(1))[owner, None]
    different: dict[bytes, int] = {}
    problem = np.array([different.setdefault(mask.tobytes(), len(different)) for mask in masks[useful]])
    _, first = np.unique(problem, return_index=True)
    return masks[useful][first], HeldOut(problem, weight, owner)


def _in_range(strengths: Float[Tensor, " s"], samples: Float[Tensor, " n"]) -> bool:
    """Whether single precision can hold the problem, whose z are near 1."""
    least, most = float(strengths.min() * samples.min()), float(strengths.max() * samples.max())
    return least > 1 / SAFE and most < SAFE


def _masks(subsets: Sequence[Int[Tensor, " m"]], n: int) -> Array:
    """1 for the rows of each subset, 0 for the others."""
    masks = np.zeros((len(subsets), n))
    for mask, rows in zip(masks, subsets, strict=True):
        mask[rows.cpu().numpy()] = 1
    return masks
