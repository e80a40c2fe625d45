"""What is to be tried, and a plan of it: each candidate with a reason and a reference."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .backbone import Backbone
from .method import Method
from .methods import METHODS
from .trained import Trained


@dataclass(frozen=True)
class Candidate:
    """A method on a backbone, why it is tried, and whether the user asked for it.

    variant: what tells it from another recipe of the same method, in two words. rival: whether it is there
    because another has to beat it, and is judged to the end.
    """

    method: Method
    backbone: Backbone
    reason: str
    asked: bool = False
    variant: str = ""
    rival: bool = False

    @property
    def name(self) -> str:
        method = ", ".join(filter(None, (type(self.method).__name__, self.variant)))
        return f"{method} ({self.backbone.name})" if self.looks else method

    @property
    def looks(self) -> bool:
        """Whether it looks at the samples at all."""
        return type(self.method) is not METHODS["Majority"]

    @property
    def borrows(self) -> bool:
        """A transfer, not a baseline: it uses a network that learned elsewhere, another's labels beside
        one's own, or samples without labels."""
        beside = "source" in self.method.needs and self.method.taught != "source"
        return self.method.borrows and (self.backbone.pretrained or beside or self.adapts)

    @property
    def adapts(self) -> bool:
        """Whether it looks at samples without labels: a target, or a pool."""
        return "target" in self.method.needs and not self.method.source_alone

    @property
    def baseline(self) -> bool:
        """Whether others have to beat it: it borrows nothing, or uses a source as it is."""
        return self.method.source_alone if self.method.taught == "source" else not self.borrows

    @property
    def tunes(self) -> bool:
        """Whether it changes the network that it borrows, instead of only reading its features."""
        lowest = self.method.lowest_trained(self.backbone)
        return self.borrows and self.backbone.pretrained and lowest < len(self.backbone)

    @property
    def trained(self) -> bool:
        """Whether fitting it is gradient descent, and not the solution of a few equations."""
        return isinstance(self.method, Trained)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "method": type(self.method).__name__,
            "recipe": self.method.recipe(),
            "backbone": self.backbone.name,
            "licence": self.backbone.licence_line,
            "borrows": self.borrows,
            "reason": self.reason,
            "reference": self.method.reference,
        }


def short_names(candidates: Sequence[Candidate]) -> list[str]:
    """Their names, without the network's where all have the same one."""
    one_network = len({one.backbone.name for one in candidates}) == 1
    return [c.name.removesuffix(f" ({c.backbone.name})") if one_network else c.name for c in candidates]


@dataclass(frozen=True)
class Plan:
    """What will be tried and why, and what will not."""

    candidates: tuple[Candidate, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def without_a_pool(self) -> "Plan":
        """Less what learns from samples without labels, where there turn out to be none to learn from."""
        gone = [c for c in self.candidates if c.adapts]
        why = "all samples without labels are copies of labelled ones"
        rest = tuple(c for c in self.candidates if c not in gone and not c.rival)
        return replace(self, candidates=rest, left_out=(*self.left_out, *((c.name, why) for c in gone)))

    def __str__(self) -> str:
        lines = ["Plan"]
        width = max(len(c.name) for c in self.candidates)
        for c in self.candidates:
            lines.append(f"  {'baseline' if c.baseline else 'try':<9} {c.name:<{width}}  {c.reason}")
            lines.append(f"  {'':<9} {'':<{width}}  [{c.method.reference}]")
            timetable = c.method.timetable(c.backbone) if c.tunes else None
            if timetable is not None:
                rows = timetable.table(c.backbone.names).splitlines()
                lines += [f"  {'':<9} {'':<{width}}    {row}" for row in rows]
        lines += [f"  {'left out':<9} {name:<{width}}  {reason}" for name, reason in self.left_out]
        return "\n".join([*lines, *(f"  note      {note}" for note in self.notes)])

    def to_json(self) -> dict[str, Any]:
        return {
            "candidates": [c.to_json() for c in self.candidates],
            "left_out": [{"method": name, "reason": reason} for name, reason in self.left_out],
            "notes": list(self.notes),
        }
