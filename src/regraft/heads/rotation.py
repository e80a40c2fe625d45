"""An exact change of coordinates to at most min(n, d) dimensions, in which the samples are uncorrelated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import InputError
from .gram import gram, gram_about_means

# a subset that varies this much less than all samples would be rounding in their common rotation
FAR_APART = 1e-3
# directions in which the samples vary less than a millionth of the widest one are rounding
NEGLIGIBLE = 1e-12


@final
@dataclass(frozen=True, eq=False)
class Rotation:
    """z = (x − mean) V with orthonormal columns V and zᵀz diagonal, from one eigendecomposition.

    A linear model on z with weights w is the model on x with weights w Vᵀ and the same ‖w‖, so a penalised
    problem may be solved in z, which has r = min(n, d) columns, and carried back without loss. Columns in
    which x does not vary but for rounding are 0, and so are the weights that come back from them.

    z: the rotated samples (n × r), float64.
    eigenvalues: the diagonal of zᵀz (with the samples' weights, if there were any).

    Of x with leading dimensions every part is rotated for itself, and so all of these have them too.

    >>> x = torch.tensor([[0.0, 1.0, 5.0], [2.0, 3.0, 5.0]])
    >>> turned = rotate(x)
    >>> turned.z.shape, turned.eigenvalues.tolist()
    (torch.Size([2, 2]), [0.0, 4.0])
    """

    z: Float[Tensor, "*p n r"]
    eigenvalues: Float[Tensor, "*p r"]
    mean: Float[Tensor, "*p d"]
    left: Float[Tensor, "*p d m"] | None  # V = left @ right, or right
    right: Float[Tensor, "*p m r"]

    def back(
        self, weight: Float[Tensor, "*p k r"], bias: Float[Tensor, "*p k"]
    ) -> tuple[Float[Tensor, "*p k d"], Float[Tensor, "*p k"]]:
        """The same model on x."""
        turned = weight @ self.right.mT
        if self.left is not None:
            turned = turned @ self.left.mT
        return turned, bias - (turned @ self.mean[..., None]).squeeze(-1)


def rotate(x: Float[Tensor, "*p n d"], weight: Float[Tensor, "*p n"] | None = None) -> Rotation:
    """Rotate x so that Σ wᵢ zᵢ = 0 and Σ wᵢ zᵢ zᵢᵀ is diagonal; w is 1 where no weight is given."""
    n, d = x.shape[-2:]
    x = x.cpu().double()
    if weight is None:
        mean, root = x.mean(-2), None
    else:
        weight = weight.cpu().double()[..., None]
        mean, root = (x * weight).sum(-2) / weight.sum(-2), weight.sqrt()
    centred = x - mean[..., None, :]
    scaled = centred if root is None else centred * root
    if n > d:
        values, right = _eigen(gram(scaled.mT))
        return Rotation(centred @ right, values, mean, None, right)
    # V = Xᵀ U / √λ is never formed: XXᵀ = U Λ Uᵀ is smaller than XᵀX
    together = torch.zeros(n, dtype=torch.long)
    pairs = gram_about_means(x, centred, together, None if weight is None else weight[..., 0])
    values, vectors = _eigen(pairs if root is None else root * pairs * root.mT)
    length = values.sqrt()[..., None, :]
    right = torch.where(length > 0, vectors / length, 0.0)
    z = vectors * length if root is None else (pairs * root.mT) @ right
    return Rotation(z, values, mean, scaled.mT, right)


def far_apart(z: Float[Tensor, "n r"], subsets: Sequence[Int[Tensor, " m"]]) -> bool:
    """Whether a subset hardly varies beside all samples, as beside an outlier that it leaves out.

    >>> far_apart(torch.tensor([[0.0], [1.0], [1000.0]]), [torch.tensor([0, 1])])
    True
    """
    square = z.square().sum(1)
    least = FAR_APART * float(square.mean())
    return any(float(square[rows].mean()) - float(z[rows].mean(0).square().sum()) < least for rows in subsets)


def _eigen(pairs: Float[Tensor, "*p m m"]) -> tuple[Float[Tensor, "*p m"], Float[Tensor, "*p m m"]]:
    """The eigenvalues of products of pairs and their vectors, both 0 where they are rounding."""
    if not pairs.isfinite().all():
        raise InputError("x contains NaN, infinity or numbers beyond 1e150: fill or drop such values before")
    values, vectors = (torch.from_numpy(found) for found in np.linalg.eigh(pairs.numpy()))
    kept = values > NEGLIGIBLE * values.clamp_min(0).sum(-1, keepdim=True)
    return values * kept, vectors * kept[..., None, :]
