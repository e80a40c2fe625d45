"""How the score grows with the number of labels, and what more of them would buy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import nnls
from torch import Tensor

from ..backbone import Backbone
from ..folds import Rows, complement, judgeable, stratified_folds
from ..problem import Problem
from ..training import Training
from .choice import Result
from .intervals import Interval, share

SPLITS = (8, 4, 2)  # parts of which one is learned from and the rest tells the score
FITS, FEWER, FEW = 8, 4, 200  # fits for each number of parts; fewer for more than so many samples
LEAST = 4  # samples of the smallest class, for a curve at all
MORE = 20
EXPONENTS = (0.25, 0.5, 1.0, 2.0)
RESAMPLES = 200
TOO_FEW = "with so few labels nothing tells what more of them would add"


@dataclass(frozen=True)
class Point:
    """The score of fits to that many labelled samples."""

    samples: int
    score: Interval


@dataclass(frozen=True)
class Next:
    """What so many labels more would add to the score."""

    labels: int
    gain: Interval


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
            "next": self.next and {"labels": self.next.labels, "gain": self.next.gain.to_json()},
        }


def learning_curve(
    kept: Result, seen: Problem, suffix: Backbone, metric: str, training: Training
) -> LearningCurve | None:
    """The curve of the row handed over, whose last point is its cross-validation; None for too few labels.

    The samples are dealt into 8, 4 and 2 parts, as long as each part has a sample of every class; some
    parts are learned from, and all others are predicted.
    """
    labelled = seen.domains["target_labelled"]
    fits = FITS if len(labelled) <= FEW else FEWER
    least = int(torch.bincount(labelled.labels).min())
    sizes, rights = [], []
    for parts in (parts for parts in SPLITS if least >= max(parts, LEAST)):
        kept_rows: list[Rows] = []
        while len(kept_rows) < fits:
            kept_rows += stratified_folds(labelled, parts, training.seed + len(kept_rows))
        kept_rows = kept_rows[:fits]
        held_out = [complement(rows, len(labelled)) for rows in kept_rows]
        models = kept.candidate.method.fit_without(held_out, seen, suffix, training)
        right, times = torch.zeros(len(labelled)), torch.zeros(len(labelled))
        for rows, model in zip(held_out, models, strict=True):
            rows = rows[judgeable(labelled, rows)]
            right[rows] += (model.logits(labelled.x[rows]).argmax(1) == labelled.labels[rows]).float()
            times[rows] += 1
        rights.append((right / times.clamp_min(1))[kept.judged].double())
        sizes.append(round(sum(map(len, kept_rows)) / len(kept_rows)))
    if not sizes:
        return None
    rest = 1 - kept.scores.overlap / (1 + kept.scores.overlap)  # of the folds, all but one
    sizes.append(round(rest * len(labelled)))
    rights.append(kept.scores.correct)
    stratum = kept.scores.stratum(metric)
    points = tuple(
        Point(size, share(right, stratum, kept.scores.group))
        for size, right in zip(sizes, rights, strict=True)
    )
    if len(points) < 3:
        return LearningCurve(points, None)
    return LearningCurve(points, Next(MORE, _gain(torch.stack(rights), sizes, len(labelled), stratum)))


def _gain(rights: Float[Tensor, "s n"], sizes: list[int], now: int, stratum: Tensor) -> Interval:
    """What `MORE` labels add to the score of `now`, with the ends of 95 % of resamples of the samples."""
    random = np.random.default_rng(0)
    member = torch.nn.functional.one_hot(stratum).double()

    def added(times: Tensor) -> float:
        count = times @ member
        means = (rights * times) @ member
        scores = (means / count.clamp_min(1))[:, count > 0].mean(1)
        return predicted_gain(np.array(sizes, float), scores.numpy(), now, now + MORE)

    n = rights.shape[1]
    value = added(torch.ones(n, dtype=torch.float64))
    drawn = [
        added(torch.from_numpy(np.bincount(random.integers(n, size=n), minlength=n)).double())
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(value, min(float(low), value), max(float(high), value))


def predicted_gain(
    sizes: Float[np.ndarray, " s"], scores: Float[np.ndarray, " s"], now: float, then: float
) -> float:
    """s(then) − s(now) by the law 1 − s(m) = a + b m^−c with a, b ≥ 0 that is nearest to the scores.

    >>> sizes = np.array([10.0, 20.0, 40.0, 80.0])
    >>> f"{predicted_gain(sizes, 0.95 - sizes**-0.5, 100, 120):.4f}"
    '0.0087'
    >>> predicted_gain(sizes, np.full(4, 0.8), 100, 120)  # what does not grow is not promised to
    0.0
    """
    best, gain = np.inf, 0.0
    for c in EXPONENTS:
        terms = np.stack([np.ones_like(sizes), sizes**-c], axis=1)
        (_, b), distance = nnls(terms, 1 - scores)
        if distance < best - 1e-12:
            best, gain = distance, float(b * (now**-c - then**-c))
    return gain if gain > 1e-12 else 0.0
