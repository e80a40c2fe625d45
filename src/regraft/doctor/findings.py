"""What an examination of data found, for people and for machines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, final

from ..text import plain

Level = Literal["problem", "warning", "note"]
LEVELS: tuple[Level, ...] = ("problem", "warning", "note")
SHOWN = 3  # groups of samples that the text names


@final
@dataclass(frozen=True)
class Sample:
    """One sample: the side it is on, its row there (None where it could not be read), what it is called.

    note: what there is to say of this sample alone, such as the reason or the label that it seems to have.

    >>> str(Sample("train", 3, "owl/3.jpg", "rather crow"))
    'owl/3.jpg (rather crow)'
    """

    side: str
    row: int | None
    name: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.note})" if self.note else self.name

    def to_json(self) -> dict[str, Any]:
        return {"side": self.side, "row": self.row, "name": self.name, "note": self.note}


@final
@dataclass(frozen=True)
class Finding:
    """What one check found, and what to do about it.

    check: its name. level: a *problem* makes numbers wrong, a *warning* may, a *note* is good to know.
    message: what was found: what to do. samples: groups of samples that belong together, such as copies of
    one picture; same: whether those of a group are the same thing, or only alike.

    >>> one, two = Sample("train", 0, "a.jpg"), Sample("train", 1, "b.jpg")
    >>> print(Finding("duplicates", "warning", "2 pictures are copies: keep one", ((one, two),)))
    warning: 2 pictures are copies: keep one [a.jpg = b.jpg]
    """

    check: str
    level: Level
    message: str
    samples: tuple[tuple[Sample, ...], ...] = ()
    same: bool = True

    def __str__(self) -> str:
        return plain(f"{self.level}: {self.message}{self._some()}")

    def _some(self) -> str:
        """The first few samples, by name."""
        sides = {sample.side for group in self.samples for sample in group}
        link, between = (" = ", ", ") if self.same else (", ", "; ")
        shown = [
            link.join(f"{sample.side}: {sample}" if len(sides) > 1 else str(sample) for sample in group[:4])
            + f"{link}…" * (len(group) > 4)
            for group in self.samples[:SHOWN]
        ]
        return f" [{between.join(shown)}{f'{between}…' * (len(self.samples) > SHOWN)}]" if shown else ""

    def to_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "level": self.level,
            "message": self.message,
            "samples": [[sample.to_json() for sample in group] for group in self.samples],
        }


@final
@dataclass(frozen=True)
class Examination:
    """All findings, the worst first.

    sides: what was examined, in words, by name.

    >>> print(Examination({"train": "2 vectors of 3 numbers, unlabelled"}))
    train: 2 vectors of 3 numbers, unlabelled
    Nothing to report.
    """

    sides: Mapping[str, str]
    findings: tuple[Finding, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "findings", tuple(sorted(self.findings, key=_rank)))

    def __add__(self, more: tuple[Finding, ...]) -> "Examination":
        return Examination(self.sides, (*self.findings, *more))

    @property
    def urgent(self) -> tuple[Finding, ...]:
        """The problems and warnings."""
        return tuple(finding for finding in self.findings if finding.level != "note")

    def __str__(self) -> str:
        sides = [plain(f"{name}: {told}") for name, told in self.sides.items()]
        return "\n".join([*sides, *(map(str, self.findings) if self.findings else ["Nothing to report."])])

    def to_json(self) -> dict[str, Any]:
        return {"sides": dict(self.sides), "findings": [finding.to_json() for finding in self.findings]}


def _rank(finding: Finding) -> int:
    return LEVELS.index(finding.level)
