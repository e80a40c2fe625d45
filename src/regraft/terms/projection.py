"""The nearest point of a set."""

from jaxtyping import Float
from torch import Tensor


def onto_box_and_slab(
    v: Float[Tensor, " n"], largest: float, least_mean: float, greatest_mean: float
) -> Float[Tensor, " n"]:
    """argmin_w ‖w − v‖² with 0 ≤ wᵢ ≤ largest and a mean between the two: w = clip(v − τ) for some τ.

    >>> import torch
    >>> onto_box_and_slab(torch.tensor([3.0, 1.0, 0.0]).double(), 2.0, 0.5, 0.75).tolist()
    [2.0, 0.25, 0.0]
    """
    w = v.clamp(0, largest)
    mean = float(w.mean())
    if least_mean <= mean <= greatest_mean:
        return w
    wanted = min(max(mean, least_mean), greatest_mean)
    low, high = float(v.min()) - largest, float(v.max())  # a mean of `largest`, and of 0
    tau = 0.0
    for _ in range(100):
        w = (v - tau).clamp(0, largest)
        above = float(w.mean()) - wanted
        if abs(above) <= 1e-14 * wanted:
            break
        low, high = (tau, high) if above > 0 else (low, tau)
        # between kinks the mean falls by the share of what is inside of the box: Newton's step is exact
        inside = int(((w > 0) & (w < largest)).sum())
        step = tau + above * len(v) / max(inside, 1)
        tau = step if inside and low < step < high else (low + high) / 2
    return w
