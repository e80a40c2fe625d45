"""Principal components of several samples together."""

from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np
import scipy.sparse.linalg
import torch
from jaxtyping import Float
from torch import Tensor

from .affine import Affine
from .gram import CANCELS, gram, mostly_nothing

FEW = 0.15  # of all directions, up to which Lanczos' iterations find them sooner than all are found at once
PRECISE = 1e-10  # of an eigenvalue
NOTHING = 1e-10  # share of the largest singular value below which a direction is rounding
# where there are fewer directions than wanted, scipy since 1.17 goes on from random ones, others every time
SEEDED: dict[str, Any] = {"rng": 0} if "rng" in signature(scipy.sparse.linalg.eigsh).parameters else {}
ALIKE = 1e-13  # of the largest number, up to which samples differ by the rounding of their mean


def principal(samples: Sequence[Float[Tensor, "n d"]], components: int) -> Affine:
    """z ↦ Vᵀ (z − z̄) / s: the first `components` principal axes of all samples, in one scale.

    s is the root mean square of what comes out, so that strengths and widths mean the same for any network.
    With 0 components, or more than there are, all axes along which anything differs are kept.

    >>> space = principal([torch.tensor([[0.0, 0.0], [2.0, 0.0]]), torch.tensor([[4.0, 0.0]])], 0)
    >>> space(torch.tensor([[2.0, 7.0]])).tolist(), space.weight.shape
    ([[0.0]], torch.Size([1, 2]))
    """
    x = torch.cat([z.double() for z in samples])
    centre = x.mean(0)
    u = x - centre
    if float(u.abs().max()) <= ALIKE * float(x.abs().max()):
        return Affine(x.new_zeros(1, x.shape[1]), x.new_zeros(1))
    by_samples = len(u) < u.shape[1]
    thin = _few(components, min(x.shape)) and mostly_nothing(x)
    if thin and float(u.square().sum()) > CANCELS * float(x.square().sum()):
        by_samples = True  # products of a sample with all others are as cheap as their numbers are few
        values, vectors = _iterated(_without_zeros(x, centre), components)
    else:
        values, vectors = _largest(gram(u if by_samples else u.T), components)
    kept = values > NOTHING * values[-1].clamp_min(1e-300)
    values, vectors = values[kept].flip(0), vectors[:, kept].flip(1)
    wanted = components if 0 < components < len(values) else len(values)
    values, vectors = values[:wanted], vectors[:, :wanted]
    axes = u.T @ vectors / values.sqrt() if by_samples else vectors
    axes = axes * torch.where(axes.gather(0, axes.abs().argmax(0)[None]) < 0, -1.0, 1.0)  # signs are chance
    scale = (values.sum() / (len(x) * wanted)).sqrt()
    weight = axes.T / scale
    return Affine(weight, -torch.mv(weight, centre))


def _few(wanted: int, of: int) -> bool:
    return 0 < wanted < FEW * of


def _largest(pairs: Float[Tensor, "n n"], wanted: int) -> tuple[Float[Tensor, " k"], Float[Tensor, "n k"]]:
    """Eigenvalues, rising, with their vectors: the `wanted` largest where these are few, otherwise all."""
    if _few(wanted, len(pairs)):
        return _iterated(pairs.numpy(), wanted)
    values, vectors = torch.linalg.eigh(pairs)
    return values, vectors


def _iterated(pairs: Any, wanted: int) -> tuple[Float[Tensor, " k"], Float[Tensor, "n k"]]:
    """The largest eigenvalues, rising, of a matrix or of whatever multiplies a vector, with their vectors."""
    n = pairs.shape[0]
    # of its own it would be another one every time; ones would be what centred samples have nothing of
    start = torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64).numpy()
    values, vectors = scipy.sparse.linalg.eigsh(pairs, k=wanted, v0=start, tol=PRECISE, **SEEDED)
    order = values.argsort()
    return torch.from_numpy(values[order]), torch.from_numpy(np.ascontiguousarray(vectors[:, order]))


def _without_zeros(
    x: Float[Tensor, "n d"], centre: Float[Tensor, " d"]
) -> scipy.sparse.linalg.LinearOperator:
    """v ↦ (x − c)(x − c)ᵀ v, of the numbers of x that are not 0."""
    rows = scipy.sparse.csr_array(x.numpy())
    columns, mean = rows.T.tocsr(), centre.numpy()

    def times(v: np.ndarray) -> np.ndarray:
        u = columns @ v - mean * v.sum()
        product: np.ndarray = rows @ u - mean @ u
        return product

    return scipy.sparse.linalg.LinearOperator((len(x), len(x)), matvec=times, dtype=np.float64)
