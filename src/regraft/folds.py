"""Splits of a labelled domain: stratified, and never through a group."""

import warnings

import torch
from jaxtyping import Bool, Int
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from torch import Tensor

from .domain import Domain

Rows = Int[Tensor, " m"]


def stratified_folds(domain: Domain, folds: int, seed: int) -> list[Rows]:
    """The held-out rows of each fold, every class spread over them as evenly as can be.

    Without groups, a class of which there is one sample is in every training side and never held out. With
    groups all rows take part, and a group is on one side as a whole, so a fold may hold out all there is of
    a class: `judgeable` tells such rows. Fewer folds come back where there are fewer samples or groups
    than asked for, and none where nothing can be held out.

    >>> birds = Domain(torch.zeros(5, 1), ["owl", "crow", "owl", "crow", "emu"])
    >>> [sorted(rows.tolist()) for rows in stratified_folds(birds, 2, seed=0)]
    [[1, 2], [0, 3]]
    """
    y = domain.labels
    counts = torch.bincount(y)
    if domain.group is None:
        rows = (counts[y] > 1).nonzero().squeeze(1)
        folds = min(folds, int(counts.max()))
        splitter = StratifiedKFold
    else:
        rows = torch.arange(len(y))
        folds = min(folds, len(domain.group.unique()), int(counts.max()))
        splitter = StratifiedGroupKFold
    if len(rows) == 0 or folds < 2:
        return []
    group = None if domain.group is None else domain.group.numpy()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")  # small classes are expected
        parts = splitter(folds, shuffle=True, random_state=seed).split(rows, y[rows].numpy(), group)
        held_out = [rows[torch.from_numpy(part)] for _, part in parts]
    return [part for part in held_out if len(part)]


def judgeable(domain: Domain, held_out: Rows) -> Bool[Tensor, " m"]:
    """Which held-out rows are of a class that the rest has samples of; a test of others says nothing.

    >>> birds = Domain(torch.zeros(3, 1), ["owl", "crow", "owl"])
    >>> judgeable(birds, torch.tensor([0, 1])).tolist()
    [True, False]
    """
    y = domain.labels
    return torch.isin(y[held_out], y[complement(held_out, len(y))])


def complement(rows: Rows, n: int) -> Int[Tensor, " r"]:
    """The rows of 0 … n − 1 that are not in `rows`.

    >>> complement(torch.tensor([1]), 3)
    tensor([0, 2])
    """
    kept = torch.ones(n, dtype=torch.bool)
    kept[rows] = False
    return kept.nonzero().squeeze(1)


def hold_out(domain: Domain, share: float, seed: int) -> tuple[Int[Tensor, " r"], Rows]:
    """(kept, held out): about `share` of the rows, stratified and by group; none if that would take more."""
    wanted = round(1 / share) if share > 0 else 0
    folds = stratified_folds(domain, wanted, seed) if wanted > 1 else []
    held_out = folds[0] if folds and len(folds) == wanted else torch.empty(0, dtype=torch.long)
    return complement(held_out, len(domain)), held_out[judgeable(domain, held_out)]
