"""How the score grows with the number of labels, and what more of them would buy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.optimize import nnls
from torch import Tensor

from ..folds import Rows, complement, judgeable, stratified_folds
from ..intervals import Interval, share
from .choice import Result
from .entries import Entry
from .resampling import resampled
from .scores import ClassScores

SPLITS = (8, 4, 2)  # parts of which one is learned from and the rest tells the score
FITS, FEWER, FEW = 8, 4, 200  # fits for each number of parts; fewer for more than so many samples
LEAST = 4  # samples of the smallest class, for a curve at all
MORE = 20
EXPONENTS = (0.25, 0.5, 1.0, 2.0)
TOO_FEW = "with so few labels nothing tells what more of them would add"


@dataclass(frozen=True)
class Point:
    """The score of fits to that many labelled samples."""

    samples: int
    score: Interval


@dataclass(frozen=True)
class Next:
    """What so many labels more would add to the score, and where they would lead: `samples` and `score`."""

    labels: int
    gain: Interval
    samples: int
    score: Interval


@dataclass(frozen=True)
class LearningCurve:
    """The scores by number of labels, and what the next would buy, read off the law that fits them.

    The score is s(m) = s(∞) − b m^−c: b ≥ 0 and s(∞) ≤ 1 by least squares, c the best of a few. The band of
    `next` holds that law to 95 % of resamples of the tested samples; it does not know of laws that bend.
    Hestness et al., Deep learning scaling is predictable, empirically, 2017, arXiv:1712.00409.
    """

    points: tuple[Point, ...]
    next: Next | None

    def __str__(self) -> str:
        seen = ", ".join(f"{p.samples}: {p.score.value:.2f}" for p in self.points)
        if self.next is None:
            return f"score by labels {seen}; {TOO_FEW}"
        return f"score by labels {seen}; {self.next.labels} more would likely add {self.next.gain.points()}"

    def to_json(self) -> dict[str, Any]:
        return {
            "points": [{"samples": p.samples, "score": p.score.to_json()} for p in self.points],
            "next": self.next
            and {
                "labels": self.next.labels,
                "gain": self.next.gain.to_json(),
                "samples": self.next.samples,
                "score": self.next.score.to_json(),
            },
        }


def learning_curve(kept: Result, entry: Entry, metric: str) -> LearningCurve | None:
    """The curve of the row handed over, whose last point is its cross-validation; None for too few labels,
    and for answers that are not classes.

    The samples are dealt into 8, 4 and 2 parts, as long as each part has a sample of every class; some
    parts are learned from, and all others are predicted.
    """
    labelled, seed = entry.labelled, entry.training.seed
    if not isinstance(kept.scores, ClassScores):
        return None
    fits = FITS if len(labelled) <= FEW else FEWER
    least = int(torch.bincount(labelled.labels).min())
    sizes, rights, tested = [], [], []
    for parts in (parts for parts in SPLITS if least >= max(parts, LEAST)):
        kept_rows: list[Rows] = []
        while len(kept_rows) < fits:
            kept_rows += stratified_folds(labelled, parts, seed + len(kept_rows))
        kept_rows = kept_rows[:fits]
        held_out = [complement(rows, len(labelled)) for rows in kept_rows]
        models = kept.candidate.method.fit_without(held_out, entry.seen, entry.suffix, entry.training)
        right, times = torch.zeros(len(labelled)), torch.zeros(len(labelled))
        for rows, model in zip(held_out, models, strict=True):
            rows = rows[judgeable(labelled, rows)]
            right[rows] += (model.logits(labelled.x[rows]).argmax(1) == labelled.labels[rows]).float()
            times[rows] += 1
        rights.append((right / times.clamp_min(1))[kept.judged].double())
        tested.append((times > 0)[kept.judged])
        sizes.append(round(sum(map(len, kept_rows)) / len(kept_rows)))
    if not sizes:
        return None
    rest = 1 - kept.scores.overlap / (1 + kept.scores.overlap)  # of the folds, all but one
    sizes.append(round(rest * len(labelled)))
    rights.append(kept.scores.correct)
    tested.append(torch.ones_like(tested[0]))
    stratum, group = kept.scores.stratum(metric), kept.scores.group
    points = tuple(
        Point(size, share(right[ok], stratum[ok], None if group is None else group[ok], kept.scores.overlap))
        for size, right, ok in zip(sizes, rights, tested, strict=True)
    )
    if len(points) < 3:
        return LearningCurve(points, None)
    now, last = len(labelled), points[-1]
    scored = _scored(torch.stack(rights), torch.stack(tested), kept.scores, metric)
    laws = [power_law(np.array(sizes, float), scores) for scores in scored.numpy()]
    gain, rise = (_between([law.gain(m, now + MORE) for law in laws]) for m in (now, last.samples))
    reached = (min(1.0, last.score.value + by) for by in (rise.value, rise.low, rise.high))
    return LearningCurve(points, Next(MORE, gain, now + MORE, Interval(*reached)))


def _scored(
    rights: Float[Tensor, "s n"], tested: Bool[Tensor, "s n"], scores: ClassScores, metric: str
) -> Float[Tensor, "b s"]:
    """The metric at every size, of all samples and then of resamples of them."""
    member = torch.nn.functional.one_hot(scores.stratum(metric)).double()
    times = torch.cat(
        [torch.ones(1, rights.shape[1]), resampled(len(scores), scores.group, np.random.default_rng(0))]
    )
    weight = times[:, None] * tested
    count = weight @ member
    here = count > 0
    mean = (weight * rights) @ member / count.clamp_min(1)
    return (mean * here).sum(2) / here.sum(2).clamp_min(1)


def _between(values: Sequence[float]) -> Interval:
    """The first value, with the ends of 95 % of the others."""
    low, high = np.quantile(values[1:], (0.025, 0.975))
    return Interval(values[0], min(float(low), values[0]), max(float(high), values[0]))


@dataclass(frozen=True)
class PowerLaw:
    """1 − s(m) = a + b m^−c."""

    b: float
    c: float

    def gain(self, now: float, then: float) -> float:
        """s(then) − s(now)"""
        gain = self.b * (now**-self.c - then**-self.c)
        return gain if gain > 1e-12 else 0.0


def power_law(sizes: Float[np.ndarray, " s"], scores: Float[np.ndarray, " s"]) -> PowerLaw:
    """The law with a, b ≥ 0, and c the best of a few, that is nearest to the scores.

    >>> sizes = np.array([10.0, 20.0, 40.0, 80.0])
    >>> f"{power_law(sizes, 0.95 - sizes**-0.5).gain(100, 120):.4f}"
    '0.0087'
    >>> power_law(sizes, np.full(4, 0.8)).gain(100, 120)  # what does not grow is not promised to
    0.0
    """
    best, law = np.inf, PowerLaw(0.0, 1.0)
    for c in EXPONENTS:
        terms = np.stack([np.ones_like(sizes), sizes**-c], axis=1)
        (_, b), distance = nnls(terms, 1 - scores)
        if distance < best - 1e-12:
            best, law = distance, PowerLaw(float(b), c)
    return law
