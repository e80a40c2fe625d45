"""Tables: columns of numbers and of categories, read from CSV."""

import csv
import hashlib
import re
import warnings
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, final

from jaxtyping import Int
from torch import Tensor

from ..domain import Domain
from ..errors import InputError, near
from ..output import Spelling
from .answers import Columns, Task, answers_of, columns_named, known_rows, task_of
from .cells import is_missing, number, with_point
from .sheets import Sheet, read_sheet

LABEL_COLUMNS = ("label", "class", "target")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
CODE = re.compile(r"\s*[+-]?0\d")


@final
@dataclass(frozen=True, eq=False)
class Table:
    """n rows of named columns, as text.

    numeric: the columns in which every cell is a number or missing, and not all are missing. It is told
        from all rows, once, so that one column is of one kind in every part of the table.
    numbers: of each row in the file, where the header is row 1.

    >>> t = Table(("length", "colour"), [["1.5", "red"], ["2", ""]])
    >>> len(t), t.column("colour"), set(t.numeric)
    (2, ['red', ''], {'length'})
    """

    kind: ClassVar[str] = "table"

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[str] | None = None
    numbers: Sequence[int] = ()

    def __post_init__(self) -> None:
        if self.numeric is None:
            numeric = frozenset(name for name in self.columns if _is_numeric(self.column(name)))
            object.__setattr__(self, "numeric", numeric)
        if not self.numbers:
            object.__setattr__(self, "numbers", range(2, len(self) + 2))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Int[Tensor, " m"]) -> "Table":
        picked = rows.tolist()
        return Table(
            self.columns, [self.rows[i] for i in picked], self.numeric, [self.numbers[i] for i in picked]
        )

    def __str__(self) -> str:
        return f"{len(self)} rows of {len(self.columns)} columns"

    def column(self, name: str) -> list[str]:
        position = self._position[name]
        return [row[position] for row in self.rows]

    def digests(self) -> list[bytes]:
        """A hash of each row: of its cells by name, whatever their order, and of numbers by value.

        >>> one = Table(("length", "colour"), [["1.50", "red"]])
        >>> one.digests() == Table(("colour", "length"), [["red", "1.5"]]).digests()
        True
        """
        named = sorted(self.columns)
        rows = zip(*(map(_plain, self.column(name)) for name in named), strict=True) if named else self.rows
        return [hashlib.blake2b(repr((named, row)).encode(), digest_size=16).digest() for row in rows]

    def joined(self, others: Sequence["Table"]) -> "Table":
        """These rows and those of tables with the same columns, in whatever order.

        >>> one, two = Table(("a", "b"), [["1", "x"]]), Table(("b", "a"), [["y", "2"]])
        >>> one.joined([two]).rows
        [['1', 'x'], ['2', 'y']]
        """
        rows = [list(row) for row in self.rows]
        for other in others:
            if set(other.columns) != set(self.columns):
                odd = sorted(set(other.columns) ^ set(self.columns))
                raise InputError(f"tables differ in their columns ({', '.join(odd[:5])}): give the same ones")
            rows += [list(row) for row in other._ordered(self.columns)]
        return Table(self.columns, rows, None, [n for part in (self, *others) for n in part.numbers])

    def _ordered(self, columns: Sequence[str]) -> Sequence[Sequence[str]]:
        places = [self._position[name] for name in columns]
        return [[row[place] for place in places] for row in self.rows]

    def only(self, columns: Container[str]) -> "Table":
        """The same rows with some of the columns."""
        kept = [i for i, name in enumerate(self.columns) if name in columns]
        return Table(
            tuple(self.columns[i] for i in kept),
            [[row[i] for i in kept] for row in self.rows],
            self.numeric and self.numeric.intersection(self.columns[i] for i in kept),
            self.numbers,
        )

    def names(self) -> list[str]:
        return [str(i) for i in range(len(self))]

    @cached_property
    def _position(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.columns)}


def _plain(cell: str) -> str:
    """A number as it is shortest; other text, and numbers with zeros in front, which may be codes, as it is.

    >>> _plain("1.50"), _plain("007"), _plain("red")
    ('1.5', '007', 'red')
    """
    value = None if CODE.match(cell) else number(cell)
    return cell if value is None else repr(value + 0.0)


def _is_numeric(cells: Sequence[str]) -> bool:
    return all(number(cell) is not None for cell in cells) and not all(map(is_missing, cells))


def read_table(
    path: str | Path,
    *,
    label: str | Sequence[str] | None = None,
    task: Task | None = None,
    group: str | None = None,
    spelling: Spelling = "error",
    labelled: bool = True,
) -> Domain:
    """The rows of a CSV file (comma, semicolon or tab) as a domain.

    label: the column with the labels; the last one named "label", "class" or "target" if it is not given.
        Several columns, as a list or with commas between them, ask for several numbers or labels.
    task: what they ask for: "classes", "real" for numbers, "multilabel" for labels of which several may
        apply; `readers.answers.task_of` says what it is if it is not given.
    group: a column whose equal values folds never split; it is not among the features.
    labelled: False reads all columns but a `label` that is named; which of them are features was settled by
        what the preprocessing was fitted to.

    A row whose label is blank is left out and counted. Between semicolons 3,5 is the number 3.5. A column
    that is mostly numbers and not all is one of categories, with a warning. Raises InputError for a missing
    file or column, doubled column names, rows of another length, and where no row is left.
    """
    path = Path(path)
    sheet = read_sheet(path)
    asked = label_columns(path, sheet.columns, label) if labelled or label is not None else ()
    must_have(path, sheet.columns, [*(asked if labelled else ()), *([] if group is None else [group])])
    used = tuple(name for name in sheet.columns if name not in (*asked, group))
    if not used:
        raise InputError(f"{path} has no column besides the label: give columns to predict from")
    answers = answers_in(path, sheet, asked if labelled else (), task)
    at = {name: i for i, name in enumerate(sheet.columns)}
    text = with_point if sheet.delimiter == ";" else str
    cells = [[text(sheet.rows[i][at[name]]) for name in used] for i in answers.rows]
    table = Table(used, cells, numbers=[sheet.numbers[i] for i in answers.rows])
    if answers.told:
        _warn_of_strays(path, table)
    grouped = None if group is None else [sheet.rows[i][at[group]] for i in answers.rows]
    return answers.known_of(Domain(table, group=grouped, left_out=answers.left_out), path, spelling)


@final
@dataclass(frozen=True)
class Answers:
    """What a sheet tells of its rows.

    rows: those of which something is known. told: the cells of the label columns in these, by name; empty
    where no label is asked for. task: what the columns ask for. left_out: the other rows.
    """

    rows: Sequence[int]
    told: Columns
    task: Task
    left_out: tuple[tuple[str, str], ...]

    def known_of(self, domain: Domain, path: Path, spelling: Spelling) -> Domain:
        """The domain of these rows, with their labels."""
        if not self.told:
            return domain
        output, y, observed = answers_of(path.name, self.told, self.task, spelling)
        return domain.with_(y=y, output=output, observed=observed)


def answers_in(
    path: Path, sheet: Sheet, asked: Sequence[str], task: Task | None, used: Sequence[int] | None = None
) -> Answers:
    """What the label columns `asked` tell of the rows of a sheet, or of those in `used`."""
    rows = range(len(sheet.rows)) if used is None else used
    if not sheet.rows:
        raise InputError(f"{path} has a header and no rows: give a row for each sample")
    at = {name: i for i, name in enumerate(sheet.columns)}
    told: Columns = {name: [sheet.rows[i][at[name]] for i in rows] for name in asked}
    kept = list(range(len(rows)))
    if told:
        text = with_point if sheet.delimiter == ";" else str
        pointed = {name: list(map(text, cells)) for name, cells in told.items()}
        task = task_of(path.name, pointed, task)
        told = told if task == "classes" else pointed
        kept = known_rows(task, told)
    if not kept:
        raise InputError(
            f"no row of {path} has a label in the column {asked[0]!r}: "
            "fill it in, or name another column (--label NAME)"
        )
    known = {name: [cells[i] for i in kept] for name, cells in told.items()}
    missing = sorted(set(range(len(rows))) - set(kept))
    left_out = tuple((f"row {sheet.numbers[rows[i]]}", "no label") for i in missing)
    return Answers([rows[i] for i in kept], known, task or "classes", left_out)


def must_have(path: Path, columns: Sequence[str], wanted: Sequence[str]) -> None:
    """InputError where a column that is named is not there."""
    for name in wanted:
        if name not in columns:
            raise InputError(
                f"{path} has no column {name!r} (its columns: {_listed(columns)}){near(name, list(columns))}"
            )


def label_columns(path: Path, columns: Sequence[str], label: str | Sequence[str] | None) -> tuple[str, ...]:
    """The columns that `label` names, or the one that has a usual name."""
    if label is not None:
        return columns_named(label, columns)
    usual = [name for name in columns if name.lower() in LABEL_COLUMNS]
    if not usual:
        raise InputError(
            f"{path} has no column named label, class or target (its columns: {_listed(columns)}): "
            "name the label column (--label NAME)"
        )
    return (usual[-1],)


def _warn_of_strays(path: Path, table: Table) -> None:
    """Say where a column is one of categories for the sake of a few cells."""
    assert table.numeric is not None
    for name in table.columns:
        cells = zip(table.numbers, table.column(name), strict=True)
        filled = [(row, cell) for row, cell in cells if not is_missing(cell)]
        strays = [(row, cell) for row, cell in filled if number(cell) is None]
        if name not in table.numeric and 2 * len(strays) < len(filled):
            row, cell = strays[0]
            warnings.warn(
                f"{path}: the column {name!r} is taken as categories: {len(strays)} of its {len(filled)} "
                f"filled cells hold no finite number, first {cell!r} in row {row}",
                stacklevel=3,
            )


def harmless(row: Sequence[str]) -> list[str]:
    """Cells that a spreadsheet shows and does not run: where one begins like a formula, ' is put in front.

    Numbers are what they were. A formula begins with = + - @, a tab or a return.

    >>> harmless(["=cmd|' /C calc'!A0", "-1", "+0.5", "@here", "-x", "owl"])
    ["'=cmd|' /C calc'!A0", '-1', '+0.5', "'@here", "'-x", 'owl']
    """
    return ["'" + cell if cell.startswith(FORMULA) and number(cell) is None else cell for cell in row]


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A CSV file that appears whole or not at all; no cell is a formula (`harmless`)."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(map(harmless, [header, *rows]))
        partial.replace(path)
    except OSError as reason:
        with suppress(OSError):
            partial.unlink()
        raise InputError(f"{path} cannot be written ({reason.strerror}): name another file") from reason


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(columns[:8]) + (", …" if len(columns) > 8 else "")
