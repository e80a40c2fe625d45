"""The choice without target labels: what is vetoed, what is blocked, what has to agree, and when to refuse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, final

from ...text import counted

# the score of each kind that speaks for it; the others of its kind mostly err with it, and are shown
SPEAKERS = {
    "certainty": "nuclear norm",
    "clusters": "agreement with clusters",
    "reverse": "reverse validation",
    "source": "importance weighted",
}


class Shift(Protocol):
    """What is known of the kind of shift: families that are right or wrong for it, each with a reason."""

    @property
    def right(self) -> frozenset[str]:
        """The families that it asks for; empty where no kind explains the shift."""
        ...

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        ...

    def blocks(self, family: str) -> str:
        """Why a family may not be taken; empty where it may."""
        ...


@dataclass(frozen=True, eq=False)
class Row:
    """A candidate as the stack sees it.

    family: of its method. baseline: whether it uses the source as it is. scores: label-free ones by name.
    vetoes: what collapsed, in words.
    """

    name: str
    family: str
    baseline: bool
    scores: Mapping[str, float]
    vetoes: tuple[str, ...] = ()


@final
@dataclass(frozen=True)
class Decision:
    """Which row is handed over and why, and what speaks against each of the others.

    chosen: its place; that of a baseline where adapting is refused.
    """

    chosen: int
    adapts: bool
    reasons: tuple[str, ...]
    against: tuple[tuple[str, ...], ...] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        return {"adapts": self.adapts, "reasons": list(self.reasons)}


@final
@dataclass(frozen=True)
class Stack:
    """Adapt only where nothing speaks against it and judges of several kinds speak for it.

    1. A candidate that collapsed is out (`collapse`), and so is one of a family that the kind of shift rules
       out: where the proportions of the classes moved, whatever maps one domain onto the other.
    2. Where one kind of shift explains all of the difference, only the families made for it are left.
    3. Where none does, a candidate has to be better than the source's own classifier by judges of `kinds`
       different kinds, that of the target's clusters among them, each by more than `margin`.
    4. Of those left the one with the best mean rank among these judges is taken; of none, the source's own.

    No single score is safe: on published results entropy, importance weighting and the others each lose to
    source only in half of the cases, and certainty alone prefers what collapsed.
    """

    kinds: int = 2
    margin: float = 0.01

    def describe(self) -> str:
        """What is printed next to the choice."""
        return (
            f"no label of the target; vetoes of collapse and of the kind of shift, then at least {self.kinds} "
            f"kinds of judges ({', '.join(SPEAKERS.values())}) ahead of source only by {self.margin:g}"
        )

    def decide(self, rows: Sequence[Row], shift: Shift) -> Decision:
        """The choice among rows of which the first uses the source as it is.

        >>> import types
        >>> shift = types.SimpleNamespace(right=frozenset(), sentence="", blocks=lambda family: "")
        >>> low, high = ({name: v for name in SPEAKERS.values()} for v in (0.5, 0.8))
        >>> rows = [Row("SourceOnly", "baselines", True, low), Row("CORAL", "alignment", False, high)]
        >>> Stack().decide(rows, shift).chosen
        1
        """
        base = rows[0]
        against: list[tuple[str, ...]] = []
        ahead: list[tuple[str, ...]] = []
        for row in rows:
            kinds = tuple(kind for kind, name in SPEAKERS.items() if self._ahead(row, base, name))
            ahead.append(kinds)
            against.append(() if row.baseline else self._against(row, kinds, shift))
        left = [i for i, row in enumerate(rows) if not row.baseline and not against[i]]
        if not left:
            return Decision(0, False, self._refusal(rows, against, shift), tuple(against))
        chosen = min(left, key=lambda i: self._rank(rows, left, i))
        if shift.right:
            reasons = (shift.sentence, f"{rows[chosen].family} is made for that")
        else:
            names = [SPEAKERS[kind] for kind in ahead[chosen]]
            reasons = (f"ahead of {base.name} by {', '.join(names)}, and nothing speaks against it",)
        return Decision(chosen, True, reasons, tuple(against))

    def _ahead(self, row: Row, base: Row, name: str) -> bool:
        return row.scores.get(name, float("nan")) > base.scores.get(name, float("nan")) + self.margin

    def _against(self, row: Row, kinds: Sequence[str], shift: Shift) -> tuple[str, ...]:
        found = list(row.vetoes)
        if blocked := shift.blocks(row.family):
            found.append(blocked)
        elif shift.right and row.family not in shift.right:
            found.append(f"{row.family} is not made for this kind of shift")
        elif not shift.right:
            if "clusters" not in kinds:
                found.append(
                    "what it says follows the clusters of the target no better than source only does"
                )
            elif len(kinds) < self.kinds:
                found.append(
                    f"ahead of source only by {counted(len(kinds), 'kind')} of judges, not {self.kinds}"
                )
        return tuple(found)

    def _rank(self, rows: Sequence[Row], left: Sequence[int], i: int) -> float:
        """The mean place of a row among those left, by the judges that speak."""
        places = []
        for name in SPEAKERS.values():
            mine = rows[i].scores.get(name, float("-inf"))
            places.append(sum(rows[j].scores.get(name, float("-inf")) > mine for j in left))
        return sum(places) / len(places) + i * 1e-9

    def _refusal(
        self, rows: Sequence[Row], against: Sequence[tuple[str, ...]], shift: Shift
    ) -> tuple[str, ...]:
        if not any(not row.baseline for row in rows):
            return ("nothing else was tried",)
        return (shift.sentence, "no adaptation passed")
