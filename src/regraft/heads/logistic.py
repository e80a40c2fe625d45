"""Multinomial logistic regression that chooses its strength: all folds of a strength are solved together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import InputError
from .rotation import Rotation, rotate

Array = npt.NDArray[np.float64]

STRENGTHS = tuple(np.logspace(-4, 4, 10).tolist())
# the refit ends with a step that promises less than this share of the objective
REFIT_TOLERANCE = 2e-8
# the search, with one that moves the held-out loss by less than this share of it
STEADY = 5e-4
# a strength that costs this much more than the one before is past the best
WORSE = 1.01
# a step that promises less than this share of the objective promises nothing
ROUNDING = 1e-9
# the bias of a class nobody saw; the biases of the others sum to 0, so it is never the answer
NEVER = -30.0
# keep the system of three directions solvable where they coincide or are 0
DAMPED, NOT_ZERO = 1 + 1e-9 * np.eye(3), 1e-200 * np.eye(3)


@final
@dataclass(frozen=True, eq=False)
class LinearFit:
    """Scores x Wᵀ + b, the strength that was chosen, and what every strength cost in cross-validation.

    weight, bias: W and b in float64.
    losses: the cross-validated loss of each of `strengths`; NaN where it was not computed.
    sharpness: the factor on the least-squares scores in W and b (`fit_ridge`); 1 elsewhere.
    """

    weight: Float[Tensor, "k d"]
    bias: Float[Tensor, " k"]
    strength: float
    strengths: Float[Tensor, " s"]
    losses: Float[Tensor, " s"]
    sharpness: float = 1.0


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

    A class without samples gets W = 0 and b = −30, under which it is never predicted and the others are
    as if it did not exist.

    >>> x = torch.tensor([[0.0], [1.0], [2.0], [3.0]], dtype=torch.float64)
    >>> fit = fit_logistic(x, torch.tensor([0, 0, 1, 1]), 2, strengths=[1.0])
    >>> (x @ fit.weight.T + fit.bias).argmax(1)
    tensor([0, 0, 1, 1])
    """
    check_samples(x, y, classes, weight)
    every = torch.arange(len(x))
    held_out = _dealt_folds(y.cpu(), 5, seed) if folds is None else [rows.cpu() for rows in folds]
    (fit,) = fit_logistic_each(x, y, classes, [every], [held_out], strengths=strengths, weight=weight)
    return fit


def fit_logistic_each(
    x: Float[Tensor, "n d"],
    y: Int[Tensor, " n"],
    classes: int,
    kept: Sequence[Int[Tensor, " m"]],
    folds: Sequence[Sequence[Int[Tensor, " h"]]],
    *,
    factors: Sequence[float] | None = None,
    strengths: Sequence[float] = STRENGTHS,
    weight: Float[Tensor, " n"] | None = None,
) -> list[LinearFit]:
    """`fit_logistic` on each of several subsets of the rows, all solved together.

    kept: the rows of each subset. folds: for each subset the held-out rows of its folds, as rows of x.
    factors: what C is multiplied by in each subset, where its features are to be scaled by the root.

    Small problems cost their operations more than their arithmetic, so the fifty training sets of ten
    times five folds are solved in little more than the time of one.

    >>> x, y = torch.arange(8.0)[:, None], torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    >>> rows = [torch.arange(7), torch.arange(1, 8)]
    >>> [first, last] = fit_logistic_each(x, y, 2, rows, [[], []], strengths=[1.0])
    >>> alone = fit_logistic(x[:7], y[:7], 2, strengths=[1.0])
    >>> torch.allclose(first.weight, alone.weight, atol=1e-4)
    True
    """
    samples = check_samples(x, y, classes, weight).cpu()
    values = check_strengths(strengths)
    present, codes = y.cpu().unique(return_inverse=True)
    if any(len(y[rows].unique()) < len(present) for rows in kept):
        return [_alone(x, y, classes, *subset, values, weight) for subset in zip(kept, folds, strict=True)]
    rotation = rotate(x.cpu(), None if weight is None else samples)
    scale = 0.5 if len(present) == 2 else 1.0
    whole = _Problems.of_subsets(rotation, codes, samples, kept, factors or [1.0] * len(kept))
    losses = torch.full((len(kept), len(values)), torch.nan, dtype=torch.float64)
    chosen, start = np.full(len(kept), int(values.log().abs().argmin())), None
    if len(values) > 1 and len(present) > 1:
        problems = whole.of_folds(folds)
        if problems is not None:
            start = _search(problems, values * scale, losses, chosen)
    path = _Path(whole, start)
    if len(present) > 1:
        path.solve(values.numpy()[chosen] * scale, REFIT_TOLERANCE)
    fits = []
    for i, solved in enumerate(torch.from_numpy(path.weight)):
        full_weight = torch.zeros(classes, x.shape[1], dtype=torch.float64)
        full_bias = torch.full((classes,), NEVER, dtype=torch.float64)
        full_weight[present], bias = rotation.back(solved[:, :-1], solved[:, -1])
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
    values: Tensor,
    weight: Tensor | None,
) -> LinearFit:
    """A subset by itself, as one has to be that lacks a class the others have."""
    position = torch.full((len(x),), -1)
    position[rows] = torch.arange(len(rows))
    inside = [position[fold] for fold in folds]
    mine = None if weight is None else weight[rows]
    return fit_logistic(x[rows], y[rows], classes, strengths=values.tolist(), folds=inside, weight=mine)


def check_samples(
    x: Float[Tensor, "n d"], y: Int[Tensor, " n"], classes: int, weight: Float[Tensor, " n"] | None
) -> Float[Tensor, " n"]:
    """The samples' weights, after a look at the shapes and ranges."""
    if x.ndim != 2 or len(x) == 0 or len(x) != len(y):
        raise InputError(
            f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}: "
            "give at least one row of x, and a class for each"
        )
    low, high = (int(bound) for bound in y.aminmax())
    if low < 0 or high >= classes:
        raise InputError(
            f"y has codes from {low} to {high}, and there are {classes} classes: codes start at 0"
        )
    if weight is None:
        return torch.ones(len(x), dtype=torch.float64, device=x.device)
    if len(weight) != len(x) or not (
        torch.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0
    ):
        raise InputError(
            f"weight must hold {len(x)} numbers, none negative and not all 0: it holds {len(weight)}, "
            f"from {float(weight.min()):g} to {float(weight.max()):g}"
        )
    return weight.double()


def check_strengths(strengths: Sequence[float]) -> Float[Tensor, " s"]:
    """The strengths as a tensor; they have to be positive numbers."""
    values = torch.as_tensor(strengths, dtype=torch.float64)
    if values.numel() == 0 or not (torch.isfinite(values) & (values > 0)).all():
        raise InputError(f"strengths are {list(strengths)}: give at least one, all positive and finite")
    return values


def _dealt_folds(y: Int[Tensor, " n"], folds: int, seed: int) -> list[Int[Tensor, " m"]]:
    """The held-out rows of each fold: every class is dealt out in turn, shuffled.

    >>> [sorted(rows.tolist()) for rows in _dealt_folds(torch.tensor([0, 0, 1, 1]), 2, seed=0)]
    [[0, 3], [1, 2]]
    """
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed)).to(y.device)
    dealt = order[y[order].argsort(stable=True)]
    return [dealt[i::folds] for i in range(min(folds, len(y)))]


def _search(
    problems: "_Problems", strengths: Float[Tensor, " s"], losses: Float[Tensor, "t s"], chosen: Array
) -> Array:
    """Fill in the loss of each strength and the best of each subset; gives their folds' mean solutions."""
    path, owner, t = _Path(problems), problems.owner, len(losses)
    start = np.zeros((t, *path.weight.shape[1:]))
    folds = np.bincount(owner, minlength=t)
    best, last, rises = np.full(t, np.inf), np.full(t, np.inf), np.zeros(t)
    searching = folds > 0
    for i in strengths.argsort(stable=True).tolist():
        path.solve(float(strengths[i]))
        loss = np.bincount(owner, path.cost.held_out, t)
        losses[searching, i] = torch.from_numpy(loss[searching])
        better = searching & (loss < best)
        chosen[better], best[better] = i, loss[better]
        mean = np.zeros_like(start)
        np.add.at(mean, owner, path.weight)
        start[better] = mean[better] / folds[better, None, None]
        rises = np.where(loss > last, rises + 1, 0)
        searching &= (rises < 2) & (loss <= WORSE * last)
        if not searching.any():
            break
        last = loss
    return start


# The iterations below take less time than starting an operation of torch's does, and numpy's start five
# times faster; products with more than a few terms are left to torch, for its threads.


@final
@dataclass(frozen=True, eq=False)
class _Problems:
    """p problems on the same rotated samples, each with its own weights of them, 0 for held-out ones."""

    z: Float[Tensor, "n r"]  # the last column is 1, for the bias
    spread: Array  # r: Σ wᵢ zᵢ², about what each problem sees of it
    y: Array  # n
    target: Array  # k n: ones where the sample is of the class
    weight: Array  # p n
    held_out: Array  # p n: adds up to 1 over the folds of a subset
    owner: npt.NDArray[np.int64]  # p: the subset of the rows that a problem belongs to
    absent: Array | None  # p k 1: added to the logits of classes that a problem has no sample of

    @classmethod
    def of_subsets(
        cls,
        rotation: Rotation,
        y: Int[Tensor, " n"],
        samples: Float[Tensor, " n"],
        kept: Sequence[Int[Tensor, " m"]],
        factors: Sequence[float],
    ) -> "_Problems":
        """A problem for each subset of the rows, with all of its samples."""
        z = torch.cat([rotation.z, torch.ones_like(samples)[:, None]], 1)
        target = np.eye(int(y.max()) + 1)[y.numpy()].T.copy()
        weight = np.zeros((len(kept), len(y)))
        for row, rows, factor in zip(weight, kept, factors, strict=True):
            row[rows.cpu().numpy()] = factor * samples.numpy()[rows.cpu().numpy()]
        spread = torch.cat([rotation.eigenvalues, samples.sum()[None]]).numpy()
        spread = spread * (weight.sum() / len(weight) / float(samples.sum()))
        return cls(z, spread, y.numpy(), target, weight, np.zeros_like(weight), np.arange(len(kept)), None)

    def of_folds(self, folds: Sequence[Sequence[Int[Tensor, " m"]]]) -> "_Problems | None":
        """A problem for each fold of each subset that leaves something to learn and to judge by."""
        owner = np.repeat(np.arange(len(folds)), [len(each) for each in folds])
        out = np.zeros((len(owner), len(self.y)))
        for row, rows in zip(out, [rows for each in folds for rows in each], strict=True):
            row[rows.cpu().numpy()] = 1
        weight = self.weight[owner] * (1 - out)
        seen = weight @ self.target.T > 0  # p k
        held_out = self.weight[owner] * out * seen[:, self.y]
        useful = (held_out.sum(1) > 0) & (seen.sum(1) > 1)
        if not useful.any():
            return None
        weight, held_out, seen, owner = weight[useful], held_out[useful], seen[useful], owner[useful]
        held_out /= np.bincount(owner, held_out.sum(1))[owner, None]
        spread = self.spread * (weight.sum() / len(weight) / (self.weight.sum() / len(self.weight)))
        # far below any logit, and finite: 0 · −∞ is not a number
        absent = None if seen.all() else np.where(seen, 0.0, -1e6)[..., None]
        return replace(self, spread=spread, weight=weight, held_out=held_out, owner=owner, absent=absent)


class _Path:
    """The solutions at one strength after another, and how they are found.

    A step minimises the exact quadratic model of the objective over three directions at once: the
    preconditioned gradient, the last step and the current point, which lets the solution grow as C does.
    (The first two alone are the conjugate gradient method.) The logits of all three are kept, so a step
    costs one product with z and one with zᵀ, and to extrapolate along the path costs none: at a new
    strength the last step is the way from the solution before to the one at hand.
    The preconditioner is Böhning's bound with the curvature at hand: (1 + C s λ)⁻¹, λ the eigenvalues of
    zᵀz, s the mean variance of a class under the predicted probabilities.
    """

    def __init__(self, problems: _Problems, start: Array | None = None) -> None:
        (p, n), k, r = problems.weight.shape, len(problems.target), problems.z.shape[1]
        self.problems, self.cost = problems, _Cost(problems)
        self.directions, self.images = _Stack(3, p, k, r), _Stack(3, p, k, n)
        self.gradient = _Stack(1, p, k, r)
        self.weight, self.logits = self.directions.array[2], self.images.array[2]
        if start is not None:
            self.weight[:] = start
            torch.mm(self.directions.matrix(2), problems.z.T, out=self.images.matrix(2))
        self.before = (self.weight.copy(), self.logits.copy())

    def solve(self, strength: float | Array, tolerance: float | None = None) -> None:
        """Go on to the solution at this strength, or at one for each problem.

        The last step is one that promises less than `tolerance` of the objective; without a tolerance,
        one that leaves the held-out loss steady.
        """
        cost = self.cost
        np.subtract(self.weight, self.before[0], out=self.directions.array[1])
        np.subtract(self.logits, self.before[1], out=self.images.array[1])
        self.before = (self.weight.copy(), self.logits.copy())
        self.enough = ROUNDING if tolerance is None else tolerance
        self.done = np.zeros(len(self.weight), dtype=bool)
        cost.strengthen(strength)
        cost.move(self.logits)
        for step in range(500):
            if step < 2:
                preconditioner = cost.preconditioner()
            self._steepest(preconditioner)
            held_out = cost.held_out
            # a second look at the first step, where the curvature changes most, costs no product with z
            share = self._descend(looks=2 if step == 0 else 1)
            if tolerance is None:
                settled = np.abs(cost.held_out - held_out).sum() <= STEADY * cost.held_out.sum()
            else:
                settled = share <= tolerance
            if settled:
                break

    def _steepest(self, preconditioner: Array) -> None:
        """Make the preconditioned gradient the first direction."""
        torch.mm(self.cost.residual.matrix(0), self.problems.z, out=self.gradient.matrix(0))
        gradient = self.gradient.array[0]
        gradient[..., :-1] += self.weight[..., :-1]
        # nothing holds back a shift of all biases, so not even rounding may point there
        gradient[..., -1] -= gradient[..., -1].mean(1, keepdims=True)
        np.multiply(gradient, preconditioner, out=self.directions.array[0])
        torch.mm(self.directions.matrix(0), self.problems.z.T, out=self.images.matrix(0))

    def _descend(self, looks: int) -> float:
        """Newton's method in the plane; gives the share of the objective that the first model promised."""
        biases = self.directions.array[..., -1].transpose(1, 0, 2)
        penalty = self.directions.products(self.directions) - biases @ biases.transpose(0, 2, 1)
        at: Array = np.zeros((len(penalty), 1, 3))
        at[..., 2] = 1
        start: Array = self.cost.loss + 0.5 * penalty[:, 2, 2]
        value, share, last = start, 0.0, self.done
        for look in range(looks):
            slope = self.images.products(self.cost.residual) + penalty @ at.transpose(0, 2, 1)
            # the directions may coincide or be 0, as they are at the very start
            hessian = (self.cost.curvature(self.images) + penalty) * DAMPED + NOT_ZERO
            step = np.asarray(np.linalg.solve(hessian, slope), dtype=np.float64).transpose(0, 2, 1)
            if look == 0:
                promised = 0.5 * (step @ slope)[:, 0, 0] / start
                share = float(promised[~self.done].max(initial=0.0))
                last = promised <= self.enough
            # a problem that is solved stays: its directions are rounding, and would be blown up
            step[self.done] = 0
            at, value = self._backtrack(at, step, value, penalty)
        self.done = self.done | last
        at[..., 2] -= 1
        self.directions.array[1] = self.directions.combined(at)
        self.weight += self.directions.array[1]
        np.subtract(self.cost.logits, self.logits, out=self.images.array[1])
        self.logits[:] = self.cost.logits
        return share

    def _backtrack(self, at: Array, step: Array, value: Array, penalty: Array) -> tuple[Array, Array]:
        """at − step, halved until no problem gets worse."""
        for _ in range(40):
            trial = at - step
            self.cost.move(self.images.combined(trial))
            now = self.cost.loss + 0.5 * (trial @ penalty @ trial.transpose(0, 2, 1))[:, 0, 0]
            worse = now > value * (1 + 1e-12)
            if not worse.any():
                break
            step = np.where(worse[:, None, None], 0.5 * step, step)
        return trial, now


class _Cost:
    """C Σ wᵢ ℓᵢ and its derivatives by the logits, at one point."""

    logits: Array  # p k n
    loss: Array  # p
    held_out: Array  # p: each problem's part of the mean held-out loss

    def __init__(self, problems: _Problems) -> None:
        (p, n), k = problems.weight.shape, len(problems.target)
        self.problems = problems
        self.weighted = np.zeros((p, k, n))  # C w p for the probabilities p
        self.residual = _Stack(1, p, k, n)  # the gradient
        self.pulled, self.centred = _Stack(3, p, k, n), _Stack(3, p, k, n)
        # where in p × k × n the logit of each sample's own class is
        self.answer = (np.arange(p)[:, None] * k + problems.y) * n + np.arange(n)

    def strengthen(self, strength: float | Array) -> None:
        """Set C."""
        self.weight = self.problems.weight * np.reshape(strength, (-1, 1))
        with np.errstate(divide="ignore"):
            self.inverse = np.where(self.weight > 0, 1 / self.weight, 0.0)
        self.target = self.problems.target * self.weight[:, None]

    def move(self, logits: Array) -> None:
        """Set the point."""
        self.logits = logits
        scores = logits if self.problems.absent is None else logits + self.problems.absent
        largest = scores.max(1)
        np.subtract(scores, largest[:, None], out=self.weighted)
        np.exp(self.weighted, out=self.weighted)
        total = self.weighted.sum(1)
        losses = np.log(total) + largest - scores.take(self.answer)
        self.loss = np.einsum("pn,pn->p", losses, self.weight)
        self.held_out = np.einsum("pn,pn->p", losses, self.problems.held_out)
        self.weighted *= (self.weight / total)[:, None]
        np.subtract(self.weighted, self.target, out=self.residual.array[0])

    def curvature(self, images: "_Stack") -> Array:
        """Σᵢ C wᵢ Σₖ p a (a' − Σₖ p a') for all pairs of directions with images a, a'."""
        np.multiply(images.array, self.weighted, out=self.pulled.array)
        mean = self.pulled.array.sum(2) * self.inverse
        np.subtract(images.array, mean[:, :, None], out=self.centred.array)
        return self.pulled.products(self.centred)

    def preconditioner(self) -> Array:
        """(penalty + C s λ)⁻¹ with C s the weighted mean over samples of C (1 − Σ p²) / (k − 1)."""
        doubt = self.weight - np.einsum("pkn,pkn->pn", self.weighted, self.weighted) * self.inverse
        most = self.weight.sum(1)
        total = np.maximum(doubt.sum(1) / (len(self.problems.target) - 1), 1e-4 * most)
        bound = (total / self.problems.weight.sum(1))[:, None, None] * self.problems.spread
        bound[..., :-1] += 1
        inverse: Array = 1 / bound
        return inverse


@final
class _Stack:
    """b arrays for each of p problems in one piece of memory, as numpy and as torch see it."""

    def __init__(self, b: int, p: int, k: int, m: int) -> None:
        self.array = np.zeros((b, p, k, m))
        flat = torch.from_numpy(self.array).view(b, p, k * m)
        self.rows, self.columns = flat.transpose(0, 1), flat.permute(1, 2, 0)
        self.matrices = flat.view(b, p * k, m).unbind()

    def matrix(self, i: int) -> Float[Tensor, "p*k m"]:
        """The i-th array of all problems, one below the other."""
        return self.matrices[i]

    def products(self, other: "_Stack") -> Array:
        """The inner products of all with all of the other, problem by problem: p b c."""
        products: Array = torch.bmm(self.rows, other.columns).numpy()
        return products

    def combined(self, coordinates: Array) -> Array:
        """Their sums with these coordinates (p 1 b)."""
        combined: Array = torch.bmm(torch.from_numpy(coordinates), self.rows).numpy()
        return combined.reshape(self.array.shape[1:])
