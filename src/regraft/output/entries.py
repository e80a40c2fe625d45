"""y with several entries a sample, of which some may be unknown."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import InputError

Known = Bool[Tensor, "n k"] | None  # None: all of them


def read_numbers(y: Any, observed: Known, what: str) -> tuple[Float[Tensor, "n k"], Known]:
    """(numbers with 0 where there is none, which are known), n × k, of rows or one column of numbers.

    None and NaN are unknown. InputError for what is no finite number, and for a sample of which nothing is
    known.

    >>> y, known = read_numbers([[1.0, None], [2.0, 3.0]], None, "a number")
    >>> y.tolist(), known.tolist()
    ([[1.0, 0.0], [2.0, 3.0]], [[True, False], [True, True]])
    """
    if not isinstance(y, Tensor):
        try:
            y = torch.from_numpy(np.array(y, dtype=np.float64))
        except (TypeError, ValueError) as reason:
            raise InputError(
                f"y cannot be read as numbers ({reason}): give {what} for each sample"
            ) from reason
    y = y.double()
    y = y[:, None] if y.ndim == 1 else y
    if y.ndim != 2 or y.shape[1] == 0:
        raise InputError(f"y has shape {tuple(y.shape)}: give {what} for each sample, or a row of them")
    if observed is None:
        known = ~y.isnan()
        if y.isinf().any():
            raise InputError(
                f"y holds infinity, first in row {_first(y.isinf().any(1))}: give finite numbers"
            )
        if not known.any(1).all():
            raise InputError(
                f"nothing is known of row {_first(~known.any(1))} of y: "
                "leave the row out, or put it into an unlabelled domain"
            )
        observed = None if known.all() else known
    elif observed.shape != y.shape:
        raise InputError(
            f"observed has shape {tuple(observed.shape)} and y {tuple(y.shape)}: give one for each entry"
        )
    return (y if observed is None else torch.where(observed, y, 0.0)), observed


def mean_of_known(values: Float[Tensor, "n k"], observed: Known) -> Float[Tensor, " n"]:
    """The mean over the entries of each sample that are known.

    >>> mean_of_known(torch.tensor([[1.0, 3.0], [5.0, 7.0]]), torch.tensor([[True, True], [True, False]]))
    tensor([2., 5.])
    """
    if observed is None:
        return values.mean(1)
    return (values * observed).sum(1) / observed.sum(1).clamp_min(1)


def known_entries(y: Float[Tensor, "n k"], observed: Known) -> Float[Tensor, "n k"]:
    """1 for every entry that is known."""
    return torch.ones_like(y) if observed is None else observed.to(y)


def columns_by_name(
    ours: tuple[str, ...], theirs: tuple[str, ...], y: Float[Tensor, "n k"], observed: Known
) -> tuple[Float[Tensor, "n m"], Known]:
    """The columns of `theirs` in the order of `ours`; those that are not there are unknown.

    >>> y, known = columns_by_name(("a", "b"), ("b",), torch.tensor([[1.0]]), None)
    >>> y.tolist(), known.tolist()
    ([[0.0, 1.0]], [[False, True]])
    """
    if ours == theirs:
        return y, observed
    if unknown := [name for name in theirs if name not in ours]:
        raise InputError(
            f"y has {unknown[:5]}, and the model was fitted to {list(ours)[:10]}: name them alike"
        )
    made = torch.zeros(len(y), len(ours), dtype=y.dtype)
    known = torch.zeros(made.shape, dtype=torch.bool)
    at = [ours.index(name) for name in theirs]
    made[:, at], known[:, at] = y, known_entries(y, observed).bool()
    return made, known


def _first(rows: Bool[Tensor, " n"]) -> int:
    return int(rows.nonzero()[0])
