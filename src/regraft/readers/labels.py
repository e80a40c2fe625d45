"""CSV files, and label files among them: those name files and say what they show."""

import csv
import unicodedata
from dataclasses import dataclass
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import final

from ..errors import InputError, near

FILE_COLUMNS = ("file", "filename", "file_name", "path", "image")
LABEL_COLUMNS = ("label", "class")
DELIMITERS = ",;\t"


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


@final
@dataclass(frozen=True)
class LabelFile:
    """The rows of a label file, by column name.

    path: of the label file. columns: as the header writes them.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]

    @property
    def label_column(self) -> str:
        return self._column(LABEL_COLUMNS, "what each file shows")

    def by_file(self, root: Path) -> dict[str, dict[str, str]]:
        """Each row by the path, relative to `root`, of the file it is about, as `key` writes it.

        A path that leaves `root` is an error, and so are two rows that label one file differently.
        """
        file, label = self._column(FILE_COLUMNS, "the files"), self.label_column
        found: dict[str, dict[str, str]] = {}
        for row in self.rows:
            if not row[file].strip():
                continue
            name = key(self._inside(row[file].strip(), root))
            first = found.setdefault(name, row)
            if first[label] != row[label]:
                raise InputError(
                    f"{self.path.name} labels {name} both {first[label]!r} and {row[label]!r}: keep one row"
                )
        return found

    def _column(self, wanted: tuple[str, ...], what: str) -> str:
        written = {column.lower(): column for column in reversed(self.columns)}
        for name in wanted:
            if name in written:
                return written[name]
        raise InputError(
            f"{self.path.name} has no column {wanted[0]!r} ({what}); it has {list(self.columns)[:10]}"
            + (near(wanted[0], list(written)) or f": name one of them {wanted[0]!r}")
        )

    def _inside(self, written: str, root: Path) -> str:
        path = PurePosixPath(written.replace("\\", "/"))
        if path.is_absolute():
            for base in (root.absolute(), root.resolve()):
                if path.is_relative_to(base.as_posix()):
                    path = path.relative_to(base.as_posix())
                    break
        if path.is_absolute() or ".." in path.parts:
            raise InputError(
                f"{self.path.name} names {written!r}, outside {root}: give paths relative to that folder"
            )
        return path.as_posix()


def key(name: str) -> str:
    """A file's relative path in one Unicode form: file systems and editors differ in theirs."""
    return unicodedata.normalize("NFC", name)


def read_labels(path: Path) -> LabelFile:
    """A label file: a table with a column of files and one of labels."""
    sheet = read_sheet(path)
    return LabelFile(
        path, sheet.columns, tuple(dict(zip(sheet.columns, cells, strict=True)) for cells in sheet.rows)
    )


def read_sheet(path: Path) -> Sheet:
    """A CSV file in UTF-8, separated by commas, semicolons or tabs; every column has a name of its own."""
    text = _text(path)
    delimiter = _delimiter(text)
    try:
        lines = list(csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as reason:
        raise InputError(f"{path.name} is not a CSV table ({reason}): save it as CSV") from reason
    filled = [(i, cells) for i, cells in enumerate(lines, 1) if any(cell.strip() for cell in cells)]
    if not filled:
        raise InputError(f"{path.name} is empty: give a CSV table with a header")
    columns = tuple(cell.strip() for cell in filled[0][1])
    if repeated := sorted({column for column in columns if columns.count(column) > 1}):
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
        content = path.read_bytes()
    except OSError as reason:
        raise InputError(f"{path} cannot be read ({reason.strerror}): give a CSV file") from reason
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path.name} is in UTF-16: save it as CSV in UTF-8")
    if b"\0" in content:
        raise InputError(f"{path.name} is a binary file: save the table as CSV in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise InputError(
            f"{path.name} is not UTF-8 text (byte {reason.start}): save it as CSV in UTF-8"
        ) from reason


def _delimiter(text: str) -> str:
    """The one that cuts the header into most cells."""
    header = text.lstrip().split("\n", 1)[0]
    return max(DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark), [])))
