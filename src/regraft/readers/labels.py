"""Label files: tables that name files and say what they show."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import final

from ..errors import InputError, near
from .answers import columns_named
from .sheets import read_sheet

FILE_COLUMNS = ("file", "filename", "file_name", "path", "image")
LABEL_COLUMNS = ("label", "class")


@final
@dataclass(frozen=True)
class LabelFile:
    """The rows of a label file, by column name.

    path: of the label file. columns: as the header writes them.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]

    def label_columns(self, label: str | Sequence[str] | None = None) -> tuple[str, ...]:
        """The columns that tell what each file shows: those that are named, or the usual one."""
        if label is None:
            return (self._column(LABEL_COLUMNS, "what each file shows"),)
        names = columns_named(label, self.columns)
        if absent := [name for name in names if name not in self.columns]:
            raise InputError(
                f"{self.path.name} has no column {absent[0]!r}; it has {list(self.columns)[:10]}"
                f"{near(absent[0], list(self.columns))}"
            )
        return names

    def by_file(self, root: Path, labels: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
        """Each row by the path, relative to `root`, of the file it is about, as `key` writes it.

        A path that leaves `root` is an error, and so are two rows that label one file differently.
        """
        file = self._column(FILE_COLUMNS, "the files")
        labels = labels or self.label_columns()
        found: dict[str, dict[str, str]] = {}
        for row in self.rows:
            if not row[file].strip():
                continue
            name = key(self._inside(row[file].strip(), root))
            first = found.setdefault(name, row)
            if different := [label for label in labels if first[label] != row[label]]:
                one, other = first[different[0]], row[different[0]]
                raise InputError(f"{self.path.name} labels {name} both {one!r} and {other!r}: keep one row")
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
