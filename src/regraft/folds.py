"""Splits of a labelled domain: stratified, never through a group, never testing a class nobody saw."""

import warnings

import torch
from jaxtyping import Int
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from torch import Tensor

from .domain import Domain

Rows = Int[Tensor, " m"]


def stratified_folds(domain: Domain, folds: int, seed: int) -> list[Rows]:
    """The held-out rows of each fold; together they are every row that can be tested.

    Rows of a group stay together. A class of which there is one sample (or one group) is trained on in
    every fold and tested in none: without it in training, its test would say nothing. Fewer folds come
    back where there are fewer samples or groups than asked for, and none where nothing can be tested.

    >>> birds = Domain(torch.zeros(5, 1), ["owl", "crow", "owl", "crow", "emu"])
    >>> [sorted(rows.tolist()) for rows in stratified_folds(birds, 2, seed=0)]
    [[1, 2], [0, 3]]
    """
    y = domain.labels
    unit = torch.arange(len(y)) if domain.group is None else domain.group
    # how many units there are of each class
    several = torch.bincount(torch.stack([y, unit]).unique(dim=1)[0], minlength=int(y.max()) + 1)
    rows = (several[y] > 1).nonzero().squeeze(1)
    if not len(rows):
        return []
    labels, units = y[rows].numpy(), unit[rows].numpy()
    # more folds than the largest class has units would leave a fold without test rows of any class
    folds = min(folds, int(several.max()))
    grouped = domain.group is not None
    splitter = (StratifiedGroupKFold if grouped else StratifiedKFold)(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")  # small classes are expected
        parts = splitter.split(rows, labels, units if grouped else None)
        held_out = [rows[torch.from_numpy(part)] for _, part in parts]
    return [part for part in held_out if len(part)]


def complement(rows: Rows, n: int) -> Int[Tensor, " r"]:
    """The rows of 0 … n − 1 that are not in `rows`.

    >>> complement(torch.tensor([1]), 3)
    tensor([0, 2])
    """
    kept = torch.ones(n, dtype=torch.bool)
    kept[rows] = False
    return kept.nonzero().squeeze(1)


def hold_out(domain: Domain, share: float, seed: int) -> tuple[Int[Tensor, " r"], Rows]:
    """(kept, held out): about `share` of the rows is held out, stratified, by group; none if none can be."""
    folds = stratified_folds(domain, max(2, round(1 / share)), seed) if share > 0 else []
    held_out = folds[0] if folds else torch.empty(0, dtype=torch.long)
    return complement(held_out, len(domain)), held_out
