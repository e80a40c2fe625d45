"""What the model handed over will score on new samples, corrected for its having been picked."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from .intervals import Interval
from .scores import Scores

RESAMPLES = 200
NAME = "bootstrap bias-corrected cross-validation"


def bias_corrected(
    rows: Sequence[Scores], metric: str, pick: Callable[[Sequence[Scores]], int], seed: int = 0
) -> Interval:
    """What the picked row scores on samples that played no part in picking it.

    rows: every candidate's cross-validated predictions of the same samples. pick: the rule, which gives the
    position of the row that it hands over.

    The samples (or groups) are drawn with replacement, the rule picks by those drawn, and the score of what
    it picked is taken on those not drawn; the value is the mean over `RESAMPLES` draws. Nothing is trained.
    The mean is taken of differences to what the row that all samples pick scores on those not drawn, whose
    own mean is known to be its score: so what had no rival keeps its score exactly. The interval is that of
    the picked row, moved by the same correction.

    Tsamardinos, Greasidou & Borboudakis, Machine Learning 2018, arXiv:1708.07180.

    >>> luck = torch.Generator().manual_seed(0)
    >>> y = torch.arange(30) % 2
    >>> rights = [(torch.rand(1, 30, generator=luck) < 0.5).double() for _ in range(50)]
    >>> rows = [Scores(right, y, None, y, 0.7, ("a", "b")) for right in rights]
    >>> best = lambda rows: max(range(len(rows)), key=lambda i: rows[i].value("accuracy"))
    >>> picked = rows[best(rows)].value("accuracy")
    >>> corrected = bias_corrected(rows, "accuracy", best).value
    >>> f"{picked:.2f} {corrected:.2f}"  # the best of fifty that guess
    '0.70 0.52'
    """
    random = np.random.default_rng(seed)
    units = _units(rows[0])
    kept = pick(rows)
    corrections = []
    for _ in range(RESAMPLES):
        drawn = random.integers(len(units), size=len(units))
        out = np.flatnonzero(np.bincount(drawn, minlength=len(units)) == 0)
        if not len(out):
            continue
        inside, outside = (torch.cat([units[i] for i in some]) for some in (drawn, out))
        # a group that is drawn twice is two groups
        sizes = torch.tensor([len(units[i]) for i in drawn])
        group = None if rows[0].group is None else torch.arange(len(drawn)).repeat_interleave(sizes)
        picked = pick([replace(row.of_rows(inside), group=group) for row in rows])
        ours, theirs = (rows[i].of_rows(outside).value(metric) for i in (picked, kept))
        corrections.append(ours - theirs)
    moved = float(np.mean(corrections)) if corrections else 0.0
    reported = rows[kept].interval(metric)
    value, low, high = (
        float(np.clip(end + moved, 0, 1)) for end in (reported.value, reported.low, reported.high)
    )
    return Interval(value, low, high)


def _units(row: Scores) -> list[Int[Tensor, " m"]]:
    """The rows that belong together: those of a group, or each alone."""
    if row.group is None:
        return list(torch.arange(len(row.y)).split(1))
    return [(row.group == g).nonzero().squeeze(1) for g in row.group.unique().tolist()]
