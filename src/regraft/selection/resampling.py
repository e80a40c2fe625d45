"""Samples drawn again from themselves."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

RESAMPLES = 200


def resampled(n: int, group: Int[Tensor, " n"] | None, random: np.random.Generator) -> Float[Tensor, "b n"]:
    """How often each of `RESAMPLES` resamples has each of n samples; those of a group are drawn together.

    >>> times = resampled(4, torch.tensor([0, 0, 1, 1]), np.random.default_rng(0))
    >>> times.shape, bool((times[:, 0] == times[:, 1]).all())
    (torch.Size([200, 4]), True)
    """
    unit = np.arange(n) if group is None else np.unique(group.numpy(), return_inverse=True)[1]
    units = int(unit.max()) + 1
    drawn = random.integers(units, size=(RESAMPLES, units))
    times = np.stack([np.bincount(one, minlength=units) for one in drawn])
    return torch.from_numpy(times[:, unit]).double()
