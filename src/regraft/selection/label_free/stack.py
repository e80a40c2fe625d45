"""The choice without target labels: what is vetoed, what is blocked, what has to agree, when to refuse."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from ...diagnosis import KindOfShift
from ...text import counted

# The scores that may speak for a candidate, one of each kind that looks at the target; the others are shown.
# Scores by the source say whether a candidate kept it, and prefer whoever changed least: in development the
# way back to the source preferred the worse of two candidates more often than the better.
SPEAKERS = {
    "clusters": "agreement with clusters",
    "predictability": "predictability",
    "certainty": "nuclear norm",
}


@dataclass(frozen=True, eq=False)
class Row:
    """A candidate as the stack sees it.

    family: of its method. baseline: whether it uses the source as it is. scores: label-free ones by name.
    vetoes: what collapsed, in words. trained: whether it is a network that was trained, which has to be ahead
    of the baselines that were trained as well.
    """

    name: str
    family: str
    baseline: bool
    scores: Mapping[str, float]
    vetoes: tuple[str, ...] = ()
    trained: bool = False

    def has_to_beat(self, rows: Sequence["Row"]) -> list["Row"]:
        """The source's classifier, which comes first, and what was trained on the source where this was."""
        return [rows[0], *(r for r in rows[1:] if self.trained and r.trained and r.baseline)]


@final
@dataclass(frozen=True)
class Decision:
    """Which row is handed over and why, and what speaks against each of the others.

    chosen: its place; that of a baseline where adapting is refused.
    """

    chosen: int
    adapts: bool
    reasons: tuple[str, ...]
    against: tuple[tuple[str, ...], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"adapts": self.adapts, "reasons": list(self.reasons)}


@final
@dataclass(frozen=True)
class Stack:
    """Adapt only where nothing speaks against it and judges of several kinds speak for it.

    1. A candidate that collapsed is out (`collapse`), and so is one of a family that the kind of shift rules
       out: where the proportions of the classes moved, whatever maps one domain onto the other.
    2. Where one kind of shift explains the difference, only the families made for it are left.
    3. Where none does, a candidate has to be ahead of the source's own classifier by judges of `kinds`
       different kinds, each by more than `margin`.
    4. Of those left the one with the best mean place among these judges is taken; of none, the source's own.

    speakers: the kinds that are asked.

    No single score is safe: on published results entropy, importance weighting and the others each lose to
    source only in half of the cases, and certainty alone prefers what collapsed.
    """

    kinds: int = 2
    margin: float = 0.01
    speakers: tuple[str, ...] = tuple(SPEAKERS)

    def describe(self, shift: KindOfShift) -> str:
        """What is printed next to the choice."""
        also = "moved proportions" if shift.kind == "hidden" else "the kind of shift"
        return (
            f"no label of the target; vetoes of collapse and of {also}, then judges of at least "
            f"{self.kinds} kinds ({', '.join(self._asked.values())}) ahead of source only by {self.margin:g}"
        )

    def decide(self, rows: Sequence[Row], shift: KindOfShift) -> Decision:
        """The choice among rows of which the first uses the source as it is.

        >>> low, high = ({name: v for name in SPEAKERS.values()} for v in (0.5, 0.8))
        >>> rows = [Row("SourceOnly", "baselines", True, low), Row("CORAL", "alignment", False, high)]
        >>> kinds = ("unknown", "none", "proportions")
        >>> [Stack().decide(rows, KindOfShift(kind, ())).chosen for kind in kinds]
        [1, 0, 0]
        """
        ahead = [self._ahead(row, row.has_to_beat(rows)) for row in rows]
        against = tuple(
            () if row.baseline else self._against(row, kinds, shift, len(row.has_to_beat(rows)) > 1)
            for row, kinds in zip(rows, ahead, strict=True)
        )
        left = [i for i, row in enumerate(rows) if not row.baseline and not against[i]]
        if not left:
            return Decision(0, False, (shift.sentence, "no adaptation passed"), against)
        chosen = self.foremost(rows, left)
        if shift.right:
            reasons = (shift.sentence, f"{rows[chosen].family} is made for that")
        else:
            names = ", ".join(SPEAKERS[kind] for kind in ahead[chosen])
            behind = " and ".join(row.name for row in rows[chosen].has_to_beat(rows))
            reasons = (f"ahead of {behind} by {names}", "nothing speaks against it")
        return Decision(chosen, True, reasons, against)

    def best(self, rows: Sequence[Row]) -> Decision:
        """The row with the best mean place among the judges that speak, whatever speaks against it."""
        chosen = self.foremost(rows, range(len(rows)))
        reasons = ("the best mean place among the judges, as you asked",)
        return Decision(chosen, not rows[chosen].baseline, reasons, tuple(row.vetoes for row in rows))

    def foremost(self, rows: Sequence[Row], rivals: Sequence[int]) -> int:
        """Of some rows the one with the best mean place among the judges that speak."""
        return min(rivals, key=lambda i: (self._place(rows, rivals, i), i))

    def _ahead(self, row: Row, bases: Sequence[Row]) -> list[str]:
        """The kinds of judges that put a row ahead of all of those; none where a score is no number."""
        nothing = math.nan
        return [
            kind
            for kind, name in self._asked.items()
            if all(
                row.scores.get(name, nothing) > base.scores.get(name, nothing) + self.margin for base in bases
            )
        ]

    @property
    def _asked(self) -> dict[str, str]:
        return {kind: SPEAKERS[kind] for kind in self.speakers}

    def _against(self, row: Row, kinds: Sequence[str], shift: KindOfShift, several: bool) -> tuple[str, ...]:
        """several: whether it has to be ahead of more than the source's own classifier."""
        found = list(row.vetoes)
        if ruled_out := shift.against(row.family):
            found.append(ruled_out)
        elif not shift.right and len(kinds) < self.kinds:
            base = "source only, frozen and trained," if several else "source only"
            found.append(f"ahead of {base} by {counted(len(kinds), 'kind')} of judges, not {self.kinds}")
        return tuple(found)

    def _place(self, rows: Sequence[Row], rivals: Sequence[int], i: int) -> float:
        """The mean place of a row among its rivals, by the judges that speak."""

        def place(name: str) -> int:
            own = _known(rows[i].scores.get(name))
            return sum(_known(rows[j].scores.get(name)) > own for j in rivals)

        return sum(map(place, self._asked.values())) / len(self.speakers)


# What adapts a model without the source is trained to be sure and varied, of which certainty is no witness.
WITHOUT_SOURCE = Stack(speakers=("clusters", "predictability"))


def _known(score: float | None) -> float:
    return -math.inf if score is None or math.isnan(score) else score
