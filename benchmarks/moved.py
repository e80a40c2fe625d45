"""Two domains whose labels are known on both sides: the shifts that `shifts.py` measures.

Four are skada's simulated shifts with the settings of skada-bench, or with others: what differs is where
samples are drawn, how often classes occur, where and how large the classes are, or all but a direction along
which the classes can be told. Two are of this project: `sensor` and `prevalence`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

PART = 0.8  # of each domain that is learned from
SIZE, FEWER = 100, 75  # an eighth of the samples of a domain


@dataclass(frozen=True)
class Sides:
    """Samples of a source and of a target, with their labels."""

    x: np.ndarray
    y: np.ndarray
    x_target: np.ndarray
    y_target: np.ndarray

    def parted(self, seed: int) -> tuple["Sides", "Sides"]:
        """A random part of both domains to learn from, and the rest of them."""
        luck = np.random.default_rng(seed)
        rows, others = luck.permutation(len(self.x)), luck.permutation(len(self.x_target))
        n, m = int(PART * len(rows)), int(PART * len(others))
        return self.of(rows[:n], others[:m]), self.of(rows[n:], others[m:])

    def of(self, rows: np.ndarray, others: np.ndarray) -> "Sides":
        return Sides(self.x[rows], self.y[rows], self.x_target[others], self.y_target[others])


@dataclass(frozen=True)
class Shift:
    """What makes the domains from a seed, and the families of methods that are made for such a shift.

    usual: by the settings that everybody reports; changed: by others, and with fewer samples.
    """

    name: str
    right: frozenset[str]
    usual: Callable[[int], Sides]
    changed: Callable[[int], Sides]


def of_skada(shift: str, seed: int, size: int, **settings: Any) -> Sides:
    """8 · `size` samples of each domain."""
    from skada.datasets import make_shifted_datasets

    made = make_shifted_datasets(
        size, size, shift=shift, random_state=seed, label="binary", return_dataset=True, **settings
    )
    (x, y), (x_target, y_target) = (made.get_domain(name)[:2] for name in "st")
    return Sides(x, y.astype(int), x_target, y_target.astype(int))


def skadas(
    name: str, right: set[str], shift: str, usual: dict[str, Any], changed: dict[str, Any], times: int = 1
) -> Shift:
    """One of skada's shifts; `times` as many samples."""
    return Shift(
        name,
        frozenset(right),
        lambda seed: of_skada(shift, seed, times * SIZE, **usual),
        lambda seed: of_skada(shift, seed, times * FEWER, **changed),
    )


def sensor(seed: int, size: int) -> Sides:
    """Three classes of two kinds each, and a target that is seen with other gains and offsets."""
    luck = np.random.default_rng(seed)
    centres = 1.5 * luck.standard_normal((3, 2, 6))
    gains, offsets = np.exp(0.35 * luck.standard_normal(6)), 1.5 * luck.standard_normal(6)

    def drawn() -> tuple[np.ndarray, np.ndarray]:
        y, kind = luck.integers(3, size=8 * size), luck.integers(2, size=8 * size)
        return centres[y, kind] + luck.standard_normal((8 * size, 6)), y

    (x, y), (seen, y_target) = drawn(), drawn()
    return Sides(x, y, gains * seen + offsets, y_target)


def prevalence(seed: int, size: int) -> Sides:
    """Four overlapping classes, alike in number, and a target in which they are not.

    Its proportions are drawn until a quarter of the samples belongs to other classes than in the source.
    """
    luck = np.random.default_rng(seed)
    centres = luck.standard_normal((4, 5))
    source, target = np.full(4, 1 / 4), np.full(4, 1 / 4)
    while np.abs(target - source).sum() / 2 < 1 / 4:
        target = 0.9 * luck.dirichlet(np.ones(4)) + 0.1 * source

    def drawn(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        y = luck.choice(4, size=8 * size, p=share)
        return centres[y] + luck.standard_normal((8 * size, 5)), y

    return Sides(*drawn(source), *drawn(target))


def own(name: str, right: set[str], made: Callable[[int, int], Sides]) -> Shift:
    """A generator that draws its settings by the seed."""
    return Shift(name, frozenset(right), lambda seed: made(seed, SIZE), lambda seed: made(seed, FEWER))


MAPS = {"alignment", "transport"}
FOUR = (
    skadas(
        "covariate",
        {"reweighting"},
        "covariate_shift",
        {"noise": 0.6, "center_cov_shift": (-0.4, 3)},
        {"noise": 0.5, "center_cov_shift": (0, 2.5)},
    ),
    skadas(
        "label",
        {"label shift"},
        "target_shift",
        {"noise": 0.8, "ratio": 0.9},
        {"noise": 0.6, "ratio": 0.85},
    ),
    skadas(
        "conditional",
        MAPS,
        "conditional_shift",
        {"noise": 0.8, "mean": 1, "sigma": 0.7},
        {"noise": 0.6, "mean": 0.8, "sigma": 0.8},
    ),
    skadas("subspace", {"subspace"}, "subspace", {"noise": 0.4}, {"noise": 0.3}, times=3),
)
OWN = (own("sensor", MAPS, sensor), own("prevalence", {"label shift"}, prevalence))
SHIFTS = {shift.name: shift for shift in (*FOUR, *OWN)}
