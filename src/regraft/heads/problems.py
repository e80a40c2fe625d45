"""Many logistic regressions on the same rotated samples, and the folds that they predict."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .rotation import Rotation

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Precision:
    """A floating-point format, and what is rounding in it, as shares of the objective and of a curvature.

    promise: a step that promises less promises nothing. worse: a step may raise the objective by this.
    damping: keeps the system of three directions solvable where they coincide. largest: whose exponential,
    summed over classes, is a number.
    """

    dtype: type[np.floating[Any]]
    promise: float
    worse: float
    damping: float
    largest: float


SINGLE = Precision(np.float32, promise=1e-6, worse=1e-5, damping=1e-3, largest=70)
DOUBLE = Precision(np.float64, promise=1e-9, worse=1e-12, damping=1e-9, largest=600)


@final
@dataclass(frozen=True, eq=False)
class Problems:
    """p problems on the same rotated samples, each with its own weights of them, 0 for held-out ones."""

    z: Float[Tensor, "n r"]  # the last column is 1, for the bias
    spread: Array  # r: Σ wᵢ zᵢ², about what each problem sees of it
    y: npt.NDArray[np.int64]  # n
    target: Array  # k n: ones where the sample is of the class
    weight: Array  # p n
    absent: Array | None  # p k 1: added to the logits of classes that a problem has no sample of
    precision: Precision

    @classmethod
    def of(
        cls,
        rotation: Rotation,
        y: Int[Tensor, " n"],
        samples: Float[Tensor, " n"],
        mask: Array,
        columns: int | None,
        precision: Precision,
    ) -> "Problems":
        """A problem for each subset of the rows (`mask`: 1 for what is in it, p × n).

        columns: of x. Where it is given, the weights are divided by the mean square of the subset's centred
        x, which makes strengths mean the same at any scale.
        """
        weight = mask * samples.numpy()
        if columns is not None:
            weight /= _mean_square(rotation.z.numpy(), mask, columns)[:, None]
        z = torch.cat([rotation.z, torch.ones_like(samples)[:, None]], 1)
        target = np.eye(int(y.max()) + 1)[y.numpy()].T
        spread = torch.cat([rotation.eigenvalues, samples.sum()[None]]).numpy()
        spread = spread * (weight.sum() / len(weight) / float(samples.sum()))
        seen = weight @ target.T > 0  # p k
        # far below any logit, and finite: 0 · −∞ is not a number
        absent = None if seen.all() else np.where(seen, 0.0, -1e6)[..., None]
        dtype = precision.dtype
        return cls(
            torch.from_numpy(z.numpy().astype(dtype, copy=False)),
            spread.astype(dtype),
            y.numpy(),
            target.astype(dtype),
            weight.astype(dtype),
            None if absent is None else absent.astype(dtype),
            precision,
        )


def _mean_square(z: Array, mask: Array, columns: int) -> Array:
    """The mean square of the centred features of each subset; 1 where they are all alike."""
    count = mask.sum(1)
    mean = mask @ z / count[:, None]
    square = (mask @ np.square(z).sum(1) / count - np.square(mean).sum(1)) / max(columns, 1)
    return np.where(square > 1e-12 * np.square(z).sum() / len(z) / max(columns, 1), square, 1.0)


@final
@dataclass(frozen=True, eq=False)
class HeldOut:
    """q folds: which problem predicts it, what its samples weigh, and whose cross-validation it is part of.

    weight: adds up to 1 over the folds of a subset.
    """

    problem: npt.NDArray[np.int64]  # q
    weight: Array  # q n
    owner: npt.NDArray[np.int64]  # q

    def loss(self, losses: Array) -> Array:
        """Each fold's part of the mean held-out loss."""
        found: Array = np.einsum("qn,qn->q", losses[self.problem], self.weight)
        return found

    def samples(self, subsets: int) -> Array:
        """As how many samples of equal weight the held-out ones of each subset count."""
        square = np.bincount(self.owner, np.square(self.weight).sum(1).astype(np.float64), subsets)
        found: Array = 1 / np.maximum(square.astype(np.float64), 1e-300)
        return found
