"""A logistic regression for each of several labels, on the samples of which the label is known."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .fit import ColumnsFit
from .logistic import fit_logistic_each


def fit_labels_each(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "n k"],
    observed: Bool[Tensor, "n k"] | None,
    kept: Sequence[Int[Tensor, " m"]],
    folds: Sequence[Sequence[Int[Tensor, " h"]]],
    **how: Any,
) -> list[ColumnsFit]:
    """For each label `fit_logistic_each` of two classes, on each of several subsets of the rows.

    how: what `fit_logistic_each` takes besides. A label that a subset does not show both with and without
    has W = 0 and the log odds log((n₁ + 1)/(n₀ + 1)) everywhere.

    >>> x, y = torch.arange(6.0)[:, None], torch.tensor([[0.0, 1.0]] * 3 + [[1.0, 1.0]] * 3)
    >>> [fit] = fit_labels_each(x, y, None, [torch.arange(6)], [[]], strengths=[1.0])
    >>> (x.double() @ fit.weight.T + fit.bias > 0).tolist()[0], fit.weight[1].item()
    ([False, True], 0.0)
    """
    made = [
        ColumnsFit(
            torch.zeros(y.shape[1], x.shape[1], dtype=torch.float64),
            torch.zeros(y.shape[1], dtype=torch.float64),
            torch.ones(y.shape[1], dtype=torch.float64),
            torch.full((y.shape[1],), torch.nan, dtype=torch.float64),
        )
        for _ in kept
    ]
    for j, column in enumerate(y.long().T.contiguous()):
        known = torch.ones(len(y), dtype=torch.bool) if observed is None else observed[:, j]
        rows = [some[known[some]] for some in kept]
        counts = [torch.bincount(column[some], minlength=2) for some in rows]
        both = [i for i, count in enumerate(counts) if count.min() > 0]
        inside = [[fold[known[fold]] for fold in folds[i]] for i in both]
        found = fit_logistic_each(x, column, 2, [rows[i] for i in both], inside, **how) if both else []
        for i, fit in zip(both, found, strict=True):
            made[i].weight[j] = fit.weight[1] - fit.weight[0]
            made[i].bias[j] = fit.bias[1] - fit.bias[0]
            made[i].strength[j] = fit.strength
            made[i].loss[j] = fit.losses.nan_to_num(torch.inf).min()
        for i in set(range(len(kept))) - set(both):
            made[i].bias[j] = ((counts[i][1] + 1) / (counts[i][0] + 1)).log()
    return made
