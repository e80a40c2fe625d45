"""What the model handed over will score on new samples, corrected for its having been picked."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..intervals import Interval
from .resampling import resampled
from .scores import Scores

NAME = "bootstrap bias-corrected cross-validation"


def bias_corrected(rows: Sequence[Scores], metric: str, seed: int = 0) -> Interval:
    """What the best row scores on samples that played no part in picking it.

    rows: every candidate's cross-validated predictions of the same samples; the best has the highest score,
    and among equal ones the smallest loss.

    The samples (or groups) are drawn with replacement, the row that is best on those drawn is picked, and
    scored on those not drawn; the value is the mean over `RESAMPLES` draws. Nothing is trained. The mean is
    taken of differences to what the row that all samples pick scores on those not drawn, whose own mean is
    known to be its score: so what had no rival keeps its score exactly. The interval is that of the picked
    row, moved by the same correction.

    Tsamardinos, Greasidou & Borboudakis, Machine Learning 2018, arXiv:1708.07180.

    >>> from regraft.selection import ClassScores
    >>> luck = torch.Generator().manual_seed(0)
    >>> y = torch.arange(30) % 2
    >>> rights = [(torch.rand(1, 30, generator=luck) < 0.5).double() for _ in range(50)]
    >>> rows = [ClassScores(right, y, None, y, 0.7, ("a", "b")) for right in rights]
    >>> picked = max(row.value("accuracy") for row in rows)
    >>> f"{picked:.2f} {bias_corrected(rows, 'accuracy').value:.2f}"  # the best of fifty that guess
    '0.70 0.52'
    """
    order = sorted(range(len(rows)), key=lambda i: rows[i].loss)  # the first of equal ones has the least loss
    ordered = [rows[i] for i in order]
    kept = int(_values(ordered, metric, torch.ones(1, len(rows[0]), dtype=torch.float64)).argmax(1))
    drawn = resampled(len(rows[0]), rows[0].group, np.random.default_rng(seed))
    out = (drawn == 0).double()
    drawn, out = drawn[out.any(1)], out[out.any(1)]
    moved = 0.0
    if len(out):
        picked = _values(ordered, metric, drawn).argmax(1, keepdim=True)
        outside = _values(ordered, metric, out)
        moved = float((outside.gather(1, picked).squeeze(1) - outside[:, kept]).mean())
    reported = ordered[kept].interval(metric)
    value, low, high = (
        float(np.clip(end + moved, rows[0].lowest, 1))
        for end in (reported.value, reported.low, reported.high)
    )
    return Interval(value, low, high)


def _values(rows: Sequence[Scores], metric: str, times: Float[Tensor, "b n"]) -> Float[Tensor, "b rows"]:
    """The metric of every row where the samples count as often as that."""
    # rounded, so that what is equal is not told apart by the order of a sum
    return torch.stack([row.values(metric, times) for row in rows], dim=1).mul(1e9).round().div(1e9)
