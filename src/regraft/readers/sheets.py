"""CSV files: cells as text, read within bounds of memory and time whatever the file holds."""

import csv
from collections import Counter
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import final

from ..errors import InputError
from .decoding import Unreadable, read_file
from .utf8 import utf8

DELIMITERS = ",;\t"
MOST_COLUMNS = 100_000
MOST_CELLS = 20_000_000  # some 2 GB as text in memory


@final
@dataclass(frozen=True)
class Sheet:
    """The cells of a CSV file, as text.

    columns: the header. numbers: of each row in the file, where the header is row 1, and blank rows count.
    delimiter: what separates the cells.
    """

    columns: tuple[str, ...]
    rows: tuple[list[str], ...]
    numbers: tuple[int, ...]
    delimiter: str


def read_sheet(path: Path) -> Sheet:
    """A CSV file in UTF-8, separated by commas, semicolons or tabs; every column has a name of its own.

    Raises InputError for anything but a regular file of at most 1 GiB, for more than 100,000 columns,
    20,000,000 cells or 131,072 characters in a cell, and for rows that are not as long as the header.
    """
    text = _text(path)
    delimiter = _delimiter(text)
    if max(text.count("\n"), text.count("\r")) + text.count(delimiter) > MOST_CELLS:
        raise InputError(
            f"{path.name} has more than {MOST_CELLS:,} cells: split it, or give an array in Python"
        )
    try:
        filled = _filled(path, csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as reason:
        raise InputError(f"{path.name} is not a CSV table ({reason}): save it as CSV") from reason
    if not filled:
        raise InputError(f"{path.name} is empty: give a CSV table with a header")
    columns = tuple(cell.strip() for cell in filled[0][1])
    if repeated := sorted(column for column, times in Counter(columns).items() if times > 1):
        raise InputError(f"{path.name} has the column {repeated[0]!r} twice: rename or drop one")
    for i, cells in filled[1:]:
        if len(cells) != len(columns):
            raise InputError(
                f"{path.name}, row {i}, has {len(cells)} cells and the header {len(columns)}: "
                "quote cells that contain the separator"
            )
    numbers, rows = tuple(i for i, _ in filled[1:]), tuple(cells for _, cells in filled[1:])
    return Sheet(columns, rows, numbers, delimiter)


def _text(path: Path) -> str:
    try:
        content = read_file(path)
    except Unreadable as reason:
        raise InputError(f"{path} cannot be read ({reason}): give a CSV file") from reason
    try:
        return utf8(content)
    except Unreadable as reason:
        raise InputError(f"{path.name} is {reason}: save it as CSV in UTF-8") from reason


def _delimiter(text: str) -> str:
    """The one that cuts the header into most cells."""
    header = text.lstrip().split("\n", 1)[0]

    def cells(mark: str) -> int:
        try:
            return len(next(csv.reader([header], delimiter=mark), []))
        except csv.Error:  # a cell longer than any: not cut, or not by this mark
            return 0

    return max(DELIMITERS, key=cells)


def _filled(path: Path, lines: "csv._reader") -> list[tuple[int, list[str]]]:
    """The rows with something in them, and their numbers."""
    found: list[tuple[int, list[str]]] = []
    for i, cells in enumerate(lines, 1):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > MOST_COLUMNS:
            raise InputError(
                f"{path.name} has {len(cells):,} columns in row {i}, and {MOST_COLUMNS:,} are read: "
                "drop columns, or give the numbers as an array in Python"
            )
        found.append((i, cells))
    return found
