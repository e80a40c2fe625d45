"""An exact change of coordinates to at most min(n, d) dimensions, in which the samples are uncorrelated."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import InputError

# directions in which the samples vary less than a millionth of the widest one are rounding
NEGLIGIBLE = 1e-12


@final
@dataclass(frozen=True, eq=False)
class Rotation:
    """z = (x − mean) V with orthonormal columns V and zᵀz diagonal, from one eigendecomposition.

    A linear model on z with weights w is the model on x with weights w Vᵀ and the same ‖w‖, so a penalised
    problem may be solved in z, which has r ≤ min(n, d) columns, and carried back without loss.

    z: the rotated samples (n × r), float64.
    eigenvalues: the diagonal of zᵀz (with the samples' weights, if there were any), rising.

    >>> x = torch.tensor([[0.0, 1.0, 5.0], [2.0, 3.0, 5.0]])
    >>> turned = rotate(x)
    >>> turned.z.shape, turned.eigenvalues.tolist()
    (torch.Size([2, 1]), [4.0])
    """

    z: Float[Tensor, "n r"]
    eigenvalues: Float[Tensor, " r"]
    mean: Float[Tensor, " d"]
    left: Float[Tensor, "d m"]
    right: Float[Tensor, "m r"]

    def back(
        self, weight: Float[Tensor, "k r"], bias: Float[Tensor, " k"]
    ) -> tuple[Float[Tensor, "k d"], Float[Tensor, " k"]]:
        """The same model on x."""
        turned = (weight @ self.right.T) @ self.left.T
        return turned, bias - turned @ self.mean


def rotate(x: Float[Tensor, "n d"], weight: Float[Tensor, " n"] | None = None) -> Rotation:
    """Rotate x so that Σ wᵢ zᵢ = 0 and Σ wᵢ zᵢ zᵢᵀ is diagonal; w is 1 where no weight is given."""
    n, d = x.shape
    x = x.double()
    if weight is None:
        mean = x.mean(0)
        centred = scaled = x - mean
    else:
        weight = weight.double()
        mean = (weight @ x) / weight.sum()
        centred = x - mean
        scaled = centred * weight.sqrt()[:, None]
    if n > d:
        values, right = _eigen(scaled.T @ scaled)
        left = torch.eye(d, dtype=x.dtype, device=x.device)
        return Rotation(centred @ right, values, mean, left, right)
    # V = Xᵀ U / √λ is never formed: XXᵀ = U Λ Uᵀ is smaller than XᵀX
    values, vectors = _eigen(scaled @ scaled.T)
    right = vectors / values.sqrt()
    z = vectors * values.sqrt() if weight is None else centred @ (scaled.T @ right)
    return Rotation(z, values, mean, scaled.T, right)


def _eigen(gram: Float[Tensor, "m m"]) -> tuple[Float[Tensor, " r"], Float[Tensor, "m r"]]:
    """The eigenvalues that are not rounding, and their vectors."""
    if not torch.isfinite(gram).all():
        raise InputError("x contains NaN, infinity or numbers beyond 1e150: fill or drop such values before")
    values, vectors = torch.linalg.eigh(gram)
    kept = values > NEGLIGIBLE * values.clamp_min(0).sum()
    return values[kept], vectors[:, kept]
