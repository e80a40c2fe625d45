"""Tables: columns of numbers and of categories, read from CSV."""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Int
from torch import Tensor

from ..domain import Domain
from ..errors import InputError, near
from ..output import Spelling, classes_of
from .labels import read_rows

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})


@final
@dataclass(frozen=True, eq=False)
class Table:
    """n rows of named columns, as text; what is a number and what a category is decided in the training fold.

    >>> t = Table(("length", "colour"), [["1.5", "red"], ["2", ""]])
    >>> len(t), t.column("colour")
    (2, ['red', ''])
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Int[Tensor, " m"]) -> "Table":
        return Table(self.columns, [self.rows[i] for i in rows.tolist()])

    def __str__(self) -> str:
        return f"{len(self)} rows of {len(self.columns)} columns"

    def column(self, name: str) -> list[str]:
        position = self._position[name]
        return [row[position] for row in self.rows]

    def digests(self) -> list[bytes]:
        head = repr(self.columns)
        return [
            hashlib.blake2b((head + repr(list(row))).encode(), digest_size=16).digest() for row in self.rows
        ]

    def names(self) -> list[str]:
        return [str(i) for i in range(len(self))]

    @cached_property
    def _position(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.columns)}


def is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING


def as_numbers(cells: Sequence[str]) -> np.ndarray | None:
    """The cells as float64 with NaN where they are missing, or None where one is no number."""
    try:
        return np.array([np.nan if is_missing(cell) else float(cell) for cell in cells], dtype=np.float64)
    except ValueError:
        return None


def read_table(
    path: str | Path,
    *,
    label: str | None = None,
    group: str | None = None,
    spelling: Spelling = "error",
    labelled: bool = True,
) -> Domain:
    """The rows of a CSV file (comma, semicolon or tab) as a domain.

    label: the column with the labels; the last one named "label", "class" or "target" if it is not given.
    group: a column whose equal values folds never split; it is not among the features.
    labelled: False drops the label column, if there is one, without looking at it.
    A row without a label is left out and counted. Raises InputError for a missing file or column,
    doubled column names, and rows of another length.
    """
    path = Path(path)
    columns, rows = read_rows(path)
    if doubled := sorted({name for name in columns if columns.count(name) > 1}):
        raise InputError(f"{path} has several columns named {doubled[0]!r}: give every column its own name")
    if label is None:
        usual = [name for name in columns if name.strip().lower() in ("label", "class", "target")]
        label = usual[-1] if usual else None
        if label is None and labelled:
            raise InputError(
                f"{path} has no column named label, class or target (its columns: {_listed(columns)}): "
                "name the label column (--label NAME)"
            )
    for name in (label, group):
        if name is not None and name not in columns and (labelled or name == group):
            raise InputError(
                f"{path} has no column {name!r} (its columns: {_listed(columns)}){near(name, list(columns))}"
            )
    used = tuple(name for name in columns if name not in (label, group))
    if not used:
        raise InputError(f"{path} has no column besides the label: give columns to predict from")
    position = {name: i for i, name in enumerate(columns)}
    left_out: list[tuple[str, str]] = []
    kept = list(range(len(rows)))
    if labelled and label is not None:
        kept = [i for i, row in enumerate(rows) if not is_missing(row[position[label]])]
        left_out = [(f"row {i + 2}", "no label") for i in sorted(set(range(len(rows))) - set(kept))]
    table = Table(used, [[rows[i][position[name]] for name in used] for i in kept])
    groups = None if group is None else [rows[i][position[group]] for i in kept]
    if not labelled or label is None:
        return Domain(table, group=groups, left_out=tuple(left_out))
    output, names = classes_of([rows[i][position[label]] for i in kept], spelling)
    return Domain(
        table,
        output.encode(names),
        output,
        group=groups,
        left_out=tuple(left_out),
    )


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A CSV file that appears whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
        partial.replace(path)
    except OSError as reason:
        partial.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written ({reason.strerror}): name another file") from reason


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(columns[:8]) + (", …" if len(columns) > 8 else "")
