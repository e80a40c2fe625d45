"""Principal components of several samples together."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse.linalg
import torch
from jaxtyping import Float
from torch import Tensor

from .affine import Affine

FEW = 0.15  # of all directions, up to which Lanczos' iterations find them sooner than all are found at once
PRECISE = 1e-10  # of an eigenvalue
NOTHING = 1e-10  # share of the largest singular value below which a direction is rounding


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
    gram = u @ u.T if len(u) < u.shape[1] else u.T @ u
    values, vectors = _largest(gram, components)
    kept = values > NOTHING * values[-1].clamp_min(1e-300)
    values, vectors = values[kept].flip(0), vectors[:, kept].flip(1)
    wanted = components if 0 < components < len(values) else len(values)
    values, vectors = values[:wanted], vectors[:, :wanted]
    axes = u.T @ vectors / values.sqrt() if len(u) < u.shape[1] else vectors
    if not wanted:  # all samples are alike
        return Affine(x.new_zeros(1, x.shape[1]), x.new_zeros(1))
    axes = axes * torch.where(axes.gather(0, axes.abs().argmax(0)[None]) < 0, -1.0, 1.0)  # signs are chance
    scale = (values.sum() / (len(x) * wanted)).sqrt()
    weight = axes.T / scale
    return Affine(weight, -torch.mv(weight, centre))


def _largest(gram: Float[Tensor, "n n"], wanted: int) -> tuple[Float[Tensor, " k"], Float[Tensor, "n k"]]:
    """Eigenvalues, rising, with their vectors: the `wanted` largest where these are few, otherwise all."""
    if not 0 < wanted < FEW * len(gram):
        values, vectors = torch.linalg.eigh(gram)
        return values, vectors
    start = np.ones(len(gram)) / len(gram) ** 0.5  # of its own it would be random
    values, vectors = scipy.sparse.linalg.eigsh(gram.numpy(), k=wanted, v0=start, tol=PRECISE)
    order = values.argsort()
    return torch.from_numpy(values[order]), torch.from_numpy(np.ascontiguousarray(vectors[:, order]))
