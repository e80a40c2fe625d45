"""How far apart domains are, for people and for machines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from ..text import aligned, counted, plain
from .apart import Apart
from .bound import Bound
from .differences import Difference
from .labels import LabelShift

SHOWN = 6  # differences that the text names


@final
@dataclass(frozen=True, eq=False)
class Pair:
    """What is the same in both directions.

    apart: for linear classifiers. mmd2, p: unbiased MMD² and its p-value by permutation, for each pair by
    itself. differences: column by column. shared: samples of the first that are in the second, byte for byte.
    """

    apart: Apart
    mmd2: float
    p: float
    differences: tuple[Difference, ...]
    shared: int = 0

    @property
    def sure(self) -> tuple[Difference, ...]:
        """The differences that are no chance, the largest first."""
        return tuple(difference for difference in self.differences if difference.sure)


@final
@dataclass(frozen=True, eq=False)
class Way:
    """From one domain to another.

    effective: how many equally weighted samples the source is worth, reweighted to the target by the density
    ratio (Kish), `of` so many. labels: the target's class frequencies, where the source has labels. bound:
    where both have.
    """

    effective: float
    of: int
    labels: LabelShift | None = None
    bound: Bound | None = None


@final
@dataclass(frozen=True, eq=False)
class Shift:
    """What `measure_shift` found.

    names: of the domains. told: each in words. looked_at: how many of its samples. network: whose features.
    things: what samples are called. pairs: of every two, the earlier one first. ways: from each to each.
    """

    names: tuple[str, ...]
    told: Mapping[str, str]
    looked_at: Mapping[str, int]
    network: str
    things: str
    pairs: Mapping[tuple[str, str], Pair]
    ways: Mapping[tuple[str, str], Way]

    def pair(self, one: str, other: str) -> Pair:
        """The two, whichever is named first."""
        return self.pairs[(one, other) if (one, other) in self.pairs else (other, one)]

    @property
    def discrepancy(self) -> list[list[float]]:
        """The discrepancy distance for linear classifiers of every two domains; of each from itself 0."""
        return [
            [0.0 if a == b else self.pair(a, b).apart.discrepancy.value for b in self.names]
            for a in self.names
        ]

    @property
    def effective(self) -> list[list[float]]:
        """What share of each domain's samples (row) counts when it is reweighted to another (column)."""
        return [
            [1.0 if a == b else self.ways[a, b].effective / self.ways[a, b].of for b in self.names]
            for a in self.names
        ]

    @property
    def setting(self) -> str:
        """What was compared, in one line."""
        some = ", ".join(f"{name} ({self.told[name]}{self._of(name)})" for name in self.names)
        return f"{some}. Features: {self.network}."

    def sentences(self, one: str, other: str) -> list[str]:
        """What there is to say of two domains, in plain words."""
        pair = self.pair(one, other)
        one, other = next(names for names in self.pairs if set(names) == {one, other})
        apart = pair.apart
        chance = apart.auc.low <= 0.5
        said = [
            f"A linear classifier {'is not proven to tell' if chance else 'tells'} {other} from {one}: AUC "
            f"{apart.auc}, discrepancy {apart.discrepancy}. MMD² {pair.mmd2:.3f} (p = {pair.p:.3f})."
        ]
        if pair.shared:
            said.append(f"{counted(pair.shared, 'sample')} of {one} are in {other} too, byte for byte.")
        said += [f"{d.sentence(one, other, self.things)}." for d in pair.sure[:SHOWN]]
        if len(pair.sure) > SHOWN:
            said.append(f"{counted(len(pair.sure) - SHOWN, 'smaller difference')} more.")
        if not pair.sure:
            said.append(
                "No column differs for sure."
                if self.things != "pictures"
                else "Nothing differs for sure in how they look."
            )
        return said

    def directed(self, source: str, target: str) -> list[str]:
        """What there is to say of going from one domain to another."""
        way = self.ways[source, target]
        said = [f"Reweighted to {target}, the {way.of:,} samples of {source} count as {way.effective:,.0f}."]
        if way.labels is not None:
            said.append(way.labels.sentence(source, target))
        if way.bound is not None:
            said.append(way.bound.sentence(source, target))
        return said

    def __str__(self) -> str:
        parts = [
            self.setting,
            "",
            "Discrepancy for linear classifiers (0: none tells them apart, 1: one makes no error)",
            aligned(["", *self.names], self._cells(self.discrepancy, ".2f")),
            "",
            "Share of the samples (row) that counts when they are reweighted to others (column)",
            aligned(["", *self.names], self._cells(self.effective, ".0%")),
        ]
        for one, other in self.pairs:
            parts += ["", f"{one} and {other}"]
            parts += [f"- {s}" for s in self.sentences(one, other)]
            parts += [f"- {s}" for way in ((one, other), (other, one)) for s in self.directed(*way)]
        return "\n".join(map(_line, parts))

    def to_json(self) -> dict[str, Any]:
        return {
            "domains": [
                {"name": name, "told": self.told[name], "looked_at": self.looked_at[name]}
                for name in self.names
            ],
            "network": self.network,
            "discrepancy": self.discrepancy,
            "effective_share": self.effective,
            "pairs": [
                {
                    "first": one,
                    "second": other,
                    **pair.apart.to_json(),
                    "mmd2": pair.mmd2,
                    "p": pair.p,
                    "shared": pair.shared,
                    "differences": [difference.to_json() for difference in pair.differences],
                    "sentences": self.sentences(one, other),
                }
                for (one, other), pair in self.pairs.items()
            ],
            "ways": [
                {
                    "source": source,
                    "target": target,
                    "samples": way.of,
                    "effective_samples": way.effective,
                    "labels": None if way.labels is None else way.labels.to_json(),
                    "bound": None if way.bound is None else way.bound.to_json(),
                    "sentences": self.directed(source, target),
                }
                for (source, target), way in self.ways.items()
            ],
        }

    def _of(self, name: str) -> str:
        drawn = self.looked_at[name]
        return f"; {drawn:,} of them drawn" if not self.told[name].startswith(str(drawn)) else ""

    def _cells(self, matrix: list[list[float]], digits: str) -> list[list[str]]:
        return [
            [name, *("–" if i == j else f"{v:{digits}}" for j, v in enumerate(row))]
            for i, (name, row) in enumerate(zip(self.names, matrix, strict=True))
        ]


def _line(part: str) -> str:
    """Names come from files; what is aligned is harmless already and of several lines."""
    return "\n".join(map(plain, part.split("\n")))
