"""Many logistic regressions on the same samples, solved together along a path of rising strengths.

The iterations take less time than starting an operation of torch's does, and numpy's start five times
faster; products with more than a few terms are left to torch, for its threads.
"""

from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .problems import Array, HeldOut, Problems

# a search ends with a step that moves the held-out loss by less than this share of it, or of a loss so
# small that nothing is gained by a smaller one
STEADY, SMALL = 5e-4, 0.01
NOT_ZERO = 1e-200 * np.eye(3)


class Path:
    """The solutions at one strength after another, and how they are found.

    A step minimises the exact quadratic model of the objective over three directions at once: the
    preconditioned gradient, the last step and the current point, which lets the solution grow as C does.
    (The first two alone are the conjugate gradient method.) The logits of all three are kept, so a step
    costs one product with z and one with zᵀ, and to extrapolate along the path costs none: at a new
    strength the last step is the way from the solution before to the one at hand.
    The preconditioner is Böhning's bound with the curvature at hand: (1 + C s λ)⁻¹, λ the eigenvalues of
    zᵀz, s the mean variance of a class under the predicted probabilities.
    """

    def __init__(self, problems: Problems, start: Array | None = None) -> None:
        (p, n), k, r = problems.weight.shape, len(problems.target), problems.z.shape[1]
        self.problems, self.cost, self.precision = problems, _Cost(problems), problems.precision
        dtype = self.precision.dtype
        self.directions, self.images = _Stack(3, p, k, r, dtype), _Stack(3, p, k, n, dtype)
        self.gradient = _Stack(1, p, k, r, dtype)
        self.weight, self.logits = self.directions.array[2], self.images.array[2]
        if start is not None:
            self.weight[:] = start
            torch.mm(self.directions.matrix(2), problems.z.T, out=self.images.matrix(2))
        self.before = (self.weight.copy(), self.logits.copy())

    def solve(self, strength: float | Array, tolerance: float) -> None:
        """Go on to the optimum at this strength, or at one for each problem.

        The last step is one that promises less than `tolerance` of the objective.
        """
        self._enter(strength)
        self._until(lambda share: share <= tolerance, tolerance)

    def search(self, strength: float, held_out: HeldOut) -> Array:
        """Go on to where the held-out loss is steady at this strength; gives each fold's part of it."""
        self._enter(strength)
        loss = held_out.loss(self.cost.losses)

        def steady(share: float) -> bool:
            nonlocal loss
            last, loss = loss, held_out.loss(self.cost.losses)
            moved, total = (np.bincount(held_out.owner, each) for each in (np.abs(loss - last), loss))
            return bool((moved <= STEADY * np.maximum(total, SMALL)).all())

        self._until(steady, self.precision.promise)
        return loss

    def wrong(self) -> Array:
        """1 for every sample that a problem's solution takes for another class: p n."""
        scores = self.logits if self.problems.absent is None else self.logits + self.problems.absent
        told: Array = (scores.argmax(1) != self.problems.y).astype(np.float64)
        return told

    def _enter(self, strength: float | Array) -> None:
        """Set the strength, and the way of the last one as the last step."""
        np.subtract(self.weight, self.before[0], out=self.directions.array[1])
        np.subtract(self.logits, self.before[1], out=self.images.array[1])
        self.before = (self.weight.copy(), self.logits.copy())
        self.done = np.zeros(len(self.weight), dtype=bool)
        self.cost.strengthen(strength)
        self.cost.move(self.logits)

    def _until(self, settled: Any, enough: float) -> None:
        for step in range(500):
            if step < 2:
                preconditioner = self.cost.preconditioner()
            self._steepest(preconditioner)
            # a second look at the first step, where the curvature changes most, costs no product with z
            if settled(self._descend(2 if step == 0 else 1, enough)) or self.done.all():
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

    def _descend(self, looks: int, enough: float) -> float:
        """Newton's method in the plane; gives the share of the objective that the first model promised."""
        penalty = self.directions.products_of_weights()
        at: Array = np.zeros((len(penalty), 1, 3))
        at[..., 2] = 1
        start: Array = self.cost.loss + 0.5 * penalty[:, 2, 2]
        value, share, last = start, 0.0, self.done
        damped = 1 + self.precision.damping * np.eye(3)
        for look in range(looks):
            slope = self.images.products(self.cost.residual) + penalty @ at.transpose(0, 2, 1)
            # the directions may coincide or be 0, as they are at the very start
            hessian = (self.cost.curvature(self.images) + penalty) * damped + NOT_ZERO
            step: Array = np.linalg.solve(hessian, slope).transpose(0, 2, 1)
            if look == 0:
                promised = 0.5 * (step @ slope)[:, 0, 0] / start
                share = float(promised[~self.done].max(initial=0.0))
                last = promised <= enough
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
            now: Array = self.cost.loss + 0.5 * (trial @ penalty @ trial.transpose(0, 2, 1))[:, 0, 0]
            worse = ~(now <= value * (1 + self.precision.worse))  # what is not a number is worse
            if not worse.any():
                break
            step = np.where(worse[:, None, None], 0.5 * step, step)
        return trial, now


class _Cost:
    """C Σ wᵢ ℓᵢ and its derivatives by the logits, at one point."""

    logits: Array  # p k n
    losses: Array  # p n: ℓᵢ
    loss: Array  # p

    def __init__(self, problems: Problems) -> None:
        (p, n), k, dtype = problems.weight.shape, len(problems.target), problems.precision.dtype
        self.problems = problems
        self.weighted = np.zeros((p, k, n), dtype)  # C w p for the probabilities p
        self.residual = _Stack(1, p, k, n, dtype)  # the gradient
        self.pulled, self.centred = _Stack(3, p, k, n, dtype), _Stack(3, p, k, n, dtype)
        self.others = 1 - problems.target
        # where in p × k × n the logit of each sample's own class is
        self.answer = (np.arange(p)[:, None] * k + problems.y) * n + np.arange(n)

    def strengthen(self, strength: float | Array) -> None:
        """Set C."""
        dtype = self.problems.precision.dtype
        self.weight = self.problems.weight * np.reshape(strength, (-1, 1)).astype(dtype)
        with np.errstate(divide="ignore"):
            self.inverse = np.where(self.weight > 0, 1 / self.weight, dtype(0))

    def move(self, logits: Array) -> None:
        """Set the point."""
        self.logits = logits
        scores = logits if self.problems.absent is None else logits + self.problems.absent
        # relative to the sample's own class, whose 1 is left out of the sums: what is all but certain
        # would be rounded away beside it
        np.subtract(scores, scores.take(self.answer)[:, None], out=self.weighted)
        np.minimum(self.weighted, self.problems.precision.largest, out=self.weighted)
        np.exp(self.weighted, out=self.weighted)
        self.weighted *= self.others
        rest = self.weighted.sum(1)
        self.losses = np.log1p(rest)
        self.loss = np.einsum("pn,pn->p", self.losses, self.weight).astype(np.float64)
        own = self.weight / (1 + rest)
        self.weighted *= own[:, None]
        self.residual.array[0] = self.weighted
        self.weighted.put(self.answer, own)
        self.residual.array.put(self.answer, -own * rest)

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

    def __init__(self, b: int, p: int, k: int, m: int, dtype: type[np.floating[Any]]) -> None:
        self.array = np.zeros((b, p, k, m), dtype)
        flat = torch.from_numpy(self.array).view(b, p, k * m)
        self.rows, self.columns = flat.transpose(0, 1), flat.permute(1, 2, 0)
        self.without_biases = torch.from_numpy(self.array)[..., :-1].transpose(0, 1)
        self.matrices = flat.view(b, p * k, m).unbind()

    def matrix(self, i: int) -> Float[Tensor, "rows m"]:
        """The i-th array of all problems, one below the other."""
        return self.matrices[i]

    def products(self, other: "_Stack") -> Array:
        """The inner products of all with all of the other, problem by problem: p b c, float64."""
        products: Array = torch.bmm(self.rows, other.columns).numpy().astype(np.float64)
        return products

    def products_of_weights(self) -> Array:
        """The inner products of all with all but for the biases, which the last column holds.

        To take the biases' part off the whole products leaves nothing but rounding where biases are large.
        """
        weights = self.without_biases.reshape(len(self.without_biases), len(self.array), -1)
        products: Array = torch.bmm(weights, weights.transpose(1, 2)).numpy().astype(np.float64)
        return products

    def combined(self, coordinates: Array) -> Array:
        """Their sums with these coordinates (p 1 b)."""
        factors = torch.from_numpy(coordinates.astype(self.array.dtype))
        combined: Array = torch.bmm(factors, self.rows).numpy()
        return combined.reshape(self.array.shape[1:])
