"""Splits of a labelled domain: stratified, and never through a group."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Int
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
    [[0, 1], [2, 3]]
    """
    y = domain.strata
    counts = torch.bincount(y)
    if domain.group is None:
        rows = (counts[y] > 1).nonzero().squeeze(1)
        folds = min(folds, int(counts.max()))
        return [rows[part] for part in dealt(y[rows], folds, seed)] if len(rows) and folds > 1 else []
    folds = min(folds, len(domain.group.unique()), int(counts.max()))
    if folds < 2:
        return []
    fold = _evenly(y, domain.group, folds, seed)
    return [rows for i in range(folds) if len(rows := (fold == i).nonzero().squeeze(1))]


def _evenly(y: Int[Tensor, " n"], group: Int[Tensor, " n"], folds: int, seed: int) -> Int[Tensor, " n"]:
    """The fold of each sample: groups as wholes, those that are hardest to place first.

    Each goes where the shares of the classes then differ the least between folds, and among such folds to the
    smallest. scikit-learn's StratifiedGroupKFold does the same, fifty times slower.
    """
    _, place = group.unique(return_inverse=True)
    place = torch.randperm(int(place.max()) + 1, generator=torch.Generator().manual_seed(seed))[place]
    classes, place = y.unique(return_inverse=True)[1].numpy(), place.numpy()
    counts = np.zeros((place.max() + 1, classes.max() + 1))
    np.add.at(counts, (place, classes), 1)
    share = counts / counts.sum(0)
    fold, sizes = np.zeros(len(counts), dtype=np.int64), np.zeros(folds)
    filled = np.zeros((folds, share.shape[1]))
    total, squares = np.zeros((2, share.shape[1]))
    for one in np.argsort(-counts.std(1), kind="stable"):
        more = 2 * filled * share[one] + share[one] ** 2  # sum of squares, in each fold
        total += share[one]
        variance = (squares + more) / folds - (total / folds) ** 2
        apart = np.sqrt(np.maximum(variance, 0)).mean(1).round(9)
        best = np.lexsort((sizes, apart))[0]
        fold[one] = best
        squares += more[best]
        filled[best] += share[one]
        sizes[best] += counts[one].sum()
    return torch.from_numpy(fold[place])


def dealt(y: Int[Tensor, " n"], folds: int, seed: int) -> list[Rows]:
    """Samples, shuffled and ordered by class, are dealt out in turn: a class differs by one at the most.

    >>> [rows.tolist() for rows in dealt(torch.tensor([0, 0, 1, 1]), 2, seed=0)]
    [[0, 3], [1, 2]]
    """
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    order = order[y[order].argsort(stable=True)]
    return [order[i::folds].sort().values for i in range(min(folds, len(y)))]


def drawn_by_class(domain: Domain) -> bool:
    """Whether somebody took as many samples of every class: then their proportions are no chance.

    >>> drawn_by_class(Domain(torch.zeros(4, 1), ["owl", "crow"] * 2))
    True
    """
    counts = torch.bincount(domain.strata)
    return bool((counts == counts.max()).all())


def random_folds(domain: Domain, folds: int, seed: int) -> list[Rows]:
    """The held-out rows of each fold, drawn without regard to the classes, as the samples were.

    Stratified folds all have the proportions of the sample. Where these are chance themselves, what leans on
    them looks better than it is: of 20 samples of two equal classes one has 12 on average, and whoever always
    says that one seems right in 60 %. In folds drawn at random the held-out proportions differ from the
    others as those of new samples do. Only a class that would be held out as a whole gives one of its samples
    to another fold, in exchange for another. Groups are dealt as wholes, each to the smallest fold so far.

    >>> birds = Domain(torch.zeros(6, 1), ["owl"] * 4 + ["crow"] * 2)
    >>> [rows.tolist() for rows in random_folds(birds, 3, seed=0)]
    [[0, 2], [1, 5], [3, 4]]
    """
    if domain.group is not None:
        return _dealt_by_group(domain.group, folds, seed)
    y = domain.strata
    counts = torch.bincount(y)
    rows = (counts[y] > 1).nonzero().squeeze(1)
    folds = min(folds, len(rows))
    if folds < 2:
        return []
    order = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))]
    fold = torch.arange(len(order)) % folds
    for c in y[rows].unique().tolist():
        mine = (y[order] == c).nonzero().squeeze(1)
        if (fold[mine] == fold[mine[0]]).all():
            others = ((y[order] != c) & (fold != fold[mine[0]])).nonzero().squeeze(1)
            if len(others):
                one, other = int(mine[0]), int(others[counts[y[order[others]]].argmax()])  # of a large class
                fold[one], fold[other] = fold[other].clone(), fold[one].clone()
    return [order[fold == i].sort().values for i in range(folds)]


def _dealt_by_group(group: Int[Tensor, " n"], folds: int, seed: int) -> list[Rows]:
    _, group, sizes = group.unique(return_inverse=True, return_counts=True)
    folds = min(folds, len(sizes))
    if folds < 2:
        return []
    fold, filled = torch.zeros_like(sizes), torch.zeros(folds, dtype=torch.long)
    for one in torch.randperm(len(sizes), generator=torch.Generator().manual_seed(seed)).tolist():
        fold[one] = filled.argmin()
        filled[fold[one]] += sizes[one]
    return [(fold[group] == i).nonzero().squeeze(1) for i in range(folds)]


def inner_folds(domain: Domain, kept: Sequence[Rows], folds: int, seed: int) -> list[list[Rows]]:
    """For each training side the held-out rows of folds inside of it.

    Where the training sides are those of a cross-validation, or of several, one after the other, its other
    folds are the inner ones: what is fitted without two of them serves both. Otherwise `stratified_folds`.

    >>> birds = Domain(torch.zeros(6, 1), ["owl", "crow"] * 3)
    >>> without = [torch.tensor(rows) for rows in ([2, 3, 4, 5], [0, 1, 4, 5], [0, 1, 2, 3])]
    >>> [[rows.tolist() for rows in inside] for inside in inner_folds(birds, without, 5, seed=0)]
    [[[2, 3], [4, 5]], [[0, 1], [4, 5]], [[0, 1], [2, 3]]]
    """
    found: list[list[Rows]] = []
    for part in _partitions([complement(rows, len(domain)) for rows in kept]):
        for i, rows in enumerate(kept[len(found) : len(found) + len(part)]):
            if len(part) > 2:
                found.append(part[:i] + part[i + 1 :])
            else:
                found.append([rows[fold] for fold in stratified_folds(domain[rows], folds, seed)])
    return found


def _partitions(held_out: list[Rows]) -> list[list[Rows]]:
    """The sets of rows in runs of disjoint ones."""
    runs: list[list[Rows]] = []
    for rows in held_out:
        if runs and not torch.isin(rows, torch.cat(runs[-1])).any() and len(rows):
            runs[-1].append(rows)
        else:
            runs.append([rows])
    return runs


def judgeable(domain: Domain, held_out: Rows) -> Bool[Tensor, " m"]:
    """Which held-out rows are of a class that the rest has samples of; a test of others says nothing.

    >>> birds = Domain(torch.zeros(3, 1), ["owl", "crow", "owl"])
    >>> judgeable(birds, torch.tensor([0, 1])).tolist()
    [True, False]
    """
    y = domain.strata
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
