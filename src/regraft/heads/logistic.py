"""Multinomial logistic regression that chooses its strength: all folds of a strength are solved together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import InputError
from .rotation import Rotation, rotate

STRENGTHS = tuple(np.logspace(-4, 4, 10).tolist())
SEARCH_TOLERANCE = 1e-5
REFIT_TOLERANCE = 1e-8
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
    risen twice in a row, the rest is left out (NaN). A sample whose class is missing from the other folds
    says nothing about C and is not counted; if none counts, C is the one nearest to 1.

    A class without samples gets W = 0 and b = −30, under which it is never predicted and the others are
    as if it did not exist.

    >>> x = torch.tensor([[0.0], [1.0], [2.0], [3.0]], dtype=torch.float64)
    >>> fit = fit_logistic(x, torch.tensor([0, 0, 1, 1]), 2, strengths=[1.0])
    >>> (x @ fit.weight.T + fit.bias).argmax(1)
    tensor([0, 0, 1, 1])
    """
    samples = check_samples(x, y, classes, weight)
    values = check_strengths(strengths)
    present, y = y.unique(return_inverse=True)
    rotation = rotate(x, weight)
    scale = 0.5 if len(present) == 2 else 1.0
    losses = torch.full((len(values),), torch.nan, dtype=torch.float64)
    chosen, start = int(values.log().abs().argmin()), None
    if len(values) > 1 and len(present) > 1:
        held_out = _dealt_folds(y, 5, seed) if folds is None else folds
        problems = _Problems.of_folds(rotation, y, samples, held_out)
        if problems is not None:
            chosen, losses, start = _search(problems, values * scale, losses, chosen)
    whole = _Problems.of_all(rotation, y, samples)
    path = _Path(whole, start)
    if len(present) > 1:
        path.solve(float(values[chosen]) * scale, REFIT_TOLERANCE)
    rows = path.weight.view(len(present), -1)
    full_weight = x.new_zeros(classes, x.shape[1], dtype=torch.float64)
    full_bias = x.new_full((classes,), NEVER, dtype=torch.float64)
    full_weight[present], bias = rotation.back(rows[:, :-1], rows[:, -1])
    full_bias[present] = bias - bias.mean()
    return LinearFit(full_weight, full_bias, float(values[chosen]), values, losses)


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
    problems: "_Problems", strengths: Float[Tensor, " s"], losses: Float[Tensor, " s"], otherwise: int
) -> tuple[int, Float[Tensor, " s"], Tensor | None]:
    """The best strength, the loss of each, and the mean solution of the folds at the best."""
    path = _Path(problems)
    chosen, best, start, rises = otherwise, torch.inf, None, 0
    last = torch.inf
    for i in strengths.argsort(stable=True).tolist():
        path.solve(float(strengths[i]), SEARCH_TOLERANCE)
        losses[i] = loss = problems.held_out_loss(path.logits)
        if loss < best:
            chosen, best, start = i, loss, path.weight.mean(0)
        rises = rises + 1 if loss > last else 0
        last = loss
        if rises == 2:
            break
    return chosen, losses, start


@final
@dataclass(frozen=True, eq=False)
class _Problems:
    """p problems on the same rotated samples, each with its own weights of them, 0 for held-out ones."""

    z: Float[Tensor, "n r"]  # the last column is 1, for the bias
    target: Float[Tensor, "k n"]
    weight: Float[Tensor, "p n"]
    held_out: Float[Tensor, "p n"]
    penalty: Float[Tensor, " r"]  # 1, and 0 for the bias
    spread: Float[Tensor, " r"]  # Σ wᵢ zᵢ², about what each problem sees of it
    absent: Float[Tensor, "p k 1"] | None  # added to the logits of classes that a problem has no sample of

    @classmethod
    def of_all(cls, rotation: Rotation, y: Int[Tensor, " n"], samples: Float[Tensor, " n"]) -> "_Problems":
        """One problem with all samples."""
        one = torch.ones_like(samples)
        k = int(y.max()) + 1
        target = torch.zeros(k, len(y), dtype=one.dtype, device=one.device).scatter_(0, y[None], 1.0)
        penalty = torch.ones(rotation.z.shape[1] + 1, dtype=one.dtype, device=one.device)
        penalty[-1] = 0
        spread = torch.cat([rotation.eigenvalues, samples.sum()[None]])
        z = torch.cat([rotation.z, one[:, None]], 1)
        return cls(z, target, samples[None], torch.zeros_like(samples[None]), penalty, spread, None)

    @classmethod
    def of_folds(
        cls,
        rotation: Rotation,
        y: Int[Tensor, " n"],
        samples: Float[Tensor, " n"],
        folds: Sequence[Int[Tensor, " m"]],
    ) -> "_Problems | None":
        """A problem for each fold that leaves something to learn and something to judge by."""
        whole = cls.of_all(rotation, y, samples)
        out = torch.zeros(len(folds), len(y), dtype=samples.dtype, device=samples.device)
        for fold, rows in zip(out, folds, strict=True):
            fold[rows] = 1
        weight, held_out = samples * (1 - out), samples * out
        seen = weight @ whole.target.T > 0  # p k
        held_out = held_out * seen.to(out.dtype)[:, y]
        useful = (held_out.sum(1) > 0) & (seen.sum(1) > 1)
        if not useful.any():
            return None
        weight, held_out, seen = weight[useful], held_out[useful], seen[useful]
        spread = whole.spread * (weight.sum() / len(weight) / samples.sum())
        # far below any logit, and finite: 0 · −∞ is not a number
        absent = None if seen.all() else (~seen).to(out.dtype)[..., None] * -1e6
        return cls(whole.z, whole.target, weight, held_out, whole.penalty, spread, absent)

    def log_probabilities(self, logits: Float[Tensor, "p k*n"]) -> Float[Tensor, "p k n"]:
        scores = logits.view(len(self.weight), len(self.target), -1)
        return torch.log_softmax(scores if self.absent is None else scores + self.absent, 1)

    def held_out_loss(self, logits: Float[Tensor, "p k*n"]) -> float:
        """The mean cross-entropy of the held-out samples."""
        total = (self.log_probabilities(logits) * self.target).sum(1) * self.held_out
        return -float(total.sum() / self.held_out.sum())


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

    def __init__(self, problems: _Problems, start: Float[Tensor, " w"] | None = None) -> None:
        (p, n), k, r = problems.weight.shape, len(problems.target), problems.z.shape[1]
        self.problems = problems
        self.directions = problems.z.new_zeros(3, p, k * r)
        self.images = problems.z.new_zeros(3, p, k * n)
        self.weight, self.logits = self.directions[2], self.images[2]
        if start is not None:
            self.weight.copy_(start)
            torch.mm(self.weight.view(-1, r), problems.z.T, out=self.logits.view(-1, n))
        self.before = (self.weight.clone(), self.logits.clone())

    def solve(self, strength: float, tolerance: float) -> None:
        """Go on to the solution at this strength; stop when a step promises less than `tolerance` of it."""
        cost = _Cost(self.problems, strength)
        torch.sub(self.weight, self.before[0], out=self.directions[1])
        torch.sub(self.logits, self.before[1], out=self.images[1])
        self.before = (self.weight.clone(), self.logits.clone())
        point = cost(self.logits)
        preconditioner = torch.empty(0)
        for step in range(500):
            if step < 2:
                preconditioner = cost.preconditioner(point)
            self._steepest(point, preconditioner)
            plane = _Plane(cost, point, self.images, self._penalty())
            # a second look at the first step, where the curvature changes most, costs no product with z
            settled = plane.descend(looks=2 if step == 0 else 1) <= tolerance * plane.start
            point = plane.point
            self._take(plane)
            if settled.all():
                return

    def _steepest(self, point: "_Point", preconditioner: Float[Tensor, " r"]) -> None:
        """Make the preconditioned gradient the first direction."""
        p, k, n = point.residual.shape
        gradient = point.residual.view(p * k, n) @ self.problems.z
        gradient.addcmul_(self.weight.view(p * k, -1), self.problems.penalty)
        # nothing holds back a shift of all biases, so not even rounding may point there
        biases = gradient.view(p, k, -1)[..., -1]
        biases.sub_(biases.mean(1, keepdim=True))
        torch.mul(gradient, preconditioner, out=self.directions[0].view(p * k, -1))
        torch.mm(self.directions[0].view(p * k, -1), self.problems.z.T, out=self.images[0].view(p * k, n))

    def _penalty(self) -> np.ndarray:
        """The products of the directions with each other, without their biases."""
        every = self.directions.transpose(0, 1)
        biases = every.view(*every.shape[:2], len(self.problems.target), -1)[..., -1]
        return (torch.bmm(every, every.mT) - biases @ biases.mT).cpu().numpy()

    def _take(self, plane: "_Plane") -> None:
        """Move to the plane's point and keep the step."""
        torch.sub(plane.point.logits, self.logits, out=self.images[1])
        self.logits.copy_(plane.point.logits)
        step = torch.bmm(plane.on_device(plane.at - plane.origin)[:, None], self.directions.transpose(0, 1))
        self.directions[1] = step[:, 0]
        self.weight += self.directions[1]


@final
@dataclass(frozen=True, eq=False)
class _Point:
    """Logits, the cost there, and what its derivatives are made of."""

    logits: Float[Tensor, "p k*n"]
    loss: np.ndarray
    weighted: Float[Tensor, "p k n"]  # C w p for the probabilities p
    residual: Float[Tensor, "p k n"]  # the gradient by the logits


class _Cost:
    """C Σ wᵢ ℓᵢ as a function of the logits, and its curvature."""

    def __init__(self, problems: _Problems, strength: float) -> None:
        self.problems = problems
        self.weight = (problems.weight * strength)[:, None]  # p 1 n
        self.minus_inverse = torch.where(self.weight > 0, -1 / self.weight, 0.0)
        self.minus_target = -problems.target * self.weight  # p k n
        self.strength = strength

    def __call__(self, logits: Float[Tensor, "p k*n"]) -> _Point:
        log = self.problems.log_probabilities(logits)
        loss = torch.linalg.vecdot(log.view(len(log), -1), self.minus_target.view(len(log), -1))
        weighted = log.exp_().mul_(self.weight)
        return _Point(logits, loss.cpu().numpy(), weighted, weighted + self.minus_target)

    def curvature(self, images: Float[Tensor, "b p k*n"], point: _Point) -> np.ndarray:
        """Σᵢ C wᵢ Σₖ p a (a' − Σₖ p a') for all pairs of directions with images a, a'."""
        b, (p, k, n) = len(images), point.weighted.shape
        images = images.view(b, p, k, n)
        pulled = images * point.weighted
        centred = torch.addcmul(images, self.minus_inverse, pulled.sum(2, keepdim=True))
        product = torch.bmm(pulled.view(b, p, -1).transpose(0, 1), centred.view(b, p, -1).permute(1, 2, 0))
        return product.cpu().numpy()

    def preconditioner(self, point: _Point) -> Float[Tensor, " r"]:
        """(penalty + C s λ)⁻¹ with C s the weighted mean over samples of C (1 − Σ p²) / (k − 1)."""
        doubt = self.weight[:, 0] + self.minus_inverse[:, 0] * point.weighted.square().sum(1)
        curvature = doubt.sum() / self.problems.weight.sum() / (len(self.problems.target) - 1)
        curvature = curvature.clamp_min(1e-4 * self.strength)
        return 1 / (self.problems.penalty + curvature * self.problems.spread)


class _Plane:
    """The objective over the plane of three directions, of which the last is the current point.

    The systems have three unknowns and are solved on the host, where that is quickest.
    """

    def __init__(
        self, cost: _Cost, point: _Point, images: Float[Tensor, "b p k*n"], penalty: np.ndarray
    ) -> None:
        self.cost, self.point, self.images, self.penalty = cost, point, images, penalty
        self.origin = np.array([0.0, 0.0, 1.0])
        self.at = np.broadcast_to(self.origin, penalty.shape[:2])
        self.start = self.value = point.loss + 0.5 * penalty[:, 2, 2]

    def descend(self, looks: int) -> np.ndarray:
        """Newton's method; gives the decrease that the last model promised."""
        for _ in range(looks):
            residual = self.point.residual.view(len(self.at), -1, 1)
            slope = torch.bmm(self.images.transpose(0, 1), residual)[..., 0].cpu().numpy()
            slope = slope + (self.penalty @ self.at[..., None])[..., 0]
            # the directions may coincide or be 0, as they are at the very start
            hessian = (self.cost.curvature(self.images, self.point) + self.penalty) * DAMPED + NOT_ZERO
            step = np.linalg.solve(hessian, slope[..., None])[..., 0]
            self._backtrack(step)
        return 0.5 * (step * slope).sum(1)

    def _backtrack(self, step: np.ndarray) -> None:
        """Move by −step, halved until no problem gets worse."""
        for _ in range(40):
            trial = self.at - step
            moved = torch.bmm(self.on_device(trial)[:, None], self.images.transpose(0, 1))
            self.point = self.cost(moved[:, 0])
            value = self.point.loss + 0.5 * (trial * (self.penalty @ trial[..., None])[..., 0]).sum(1)
            worse = value > self.value + 1e-12 * self.start
            if not worse.any():
                break
            step = np.where(worse[:, None], 0.5 * step, step)
        self.at, self.value = trial, value

    def on_device(self, coordinates: np.ndarray) -> Float[Tensor, "p b"]:
        return torch.from_numpy(coordinates).to(self.images.device)
