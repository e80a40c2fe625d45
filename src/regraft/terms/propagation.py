"""What flows along a graph."""

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
import torch
from jaxtyping import Float
from torch import Tensor

PRECISE = 1e-9  # of the right-hand side, that is left of it when a solution is taken


def propagated(graph: Any, given: Float[Tensor, "n k"], alpha: float) -> Float[Tensor, "n k"]:
    """F = (I − α S)⁻¹ Y,  S = D^(−½) W D^(−½),  D the sums of the rows of W

    The limit of F ← α S F + Y: every sample takes from its neighbours and keeps what was given. The matrix is
    positive definite for α < 1, and conjugate gradients need its products alone.
    Zhou et al., Learning with local and global consistency, NIPS 2003, eq. 3.

    >>> pair = scipy.sparse.csr_array(np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> propagated(pair, torch.tensor([[1.0], [0.0]]), 0.5).flatten()
    tensor([1.3333, 0.6667], dtype=torch.float64)
    """
    degree = np.asarray(graph.sum(1)).reshape(-1)
    root = np.where(degree > 0, np.maximum(degree, 1e-300) ** -0.5, 0.0)
    scaled = scipy.sparse.diags_array(root) @ graph @ scipy.sparse.diags_array(root)
    system = scipy.sparse.eye_array(len(degree), format="csr") - alpha * scaled
    columns = [
        scipy.sparse.linalg.cg(system, y, rtol=PRECISE)[0] for y in given.double().T.contiguous().numpy()
    ]
    return torch.from_numpy(np.stack(columns, 1))
