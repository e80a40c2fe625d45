"""Texts: strings in a list, in a column of a table, in files of their own, or one a line."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

from jaxtyping import Int
from torch import Tensor

from ..domain import Domain
from ..errors import InputError
from ..output import Spelling
from ..text import counted
from .answers import Task, answers_of
from .decoding import Unreadable, read_file
from .folders import shown
from .listing import TEXTS, in_class_folders, in_folder
from .sheets import read_sheet
from .tables import LABEL_COLUMNS, answers_in, label_columns, must_have
from .utf8 import utf8

TEXT_COLUMN = "text"  # where none is named
TABLES = (".csv", ".tsv")
MOST_BYTES = 1 << 20  # of a file that is one text
EMPTY = "empty text"


@final
@dataclass(frozen=True, eq=False)
class Texts:
    """n strings.

    called: what a person calls each of them, such as a file or a row of a table; else its place.

    >>> texts = Texts(("an owl", "a crow"))
    >>> str(texts), texts.names(), texts.digests()[0] == Texts(("an owl",), ("1.txt",)).digests()[0]
    ('2 texts', ['0', '1'], True)
    """

    kind: ClassVar[str] = "texts"

    texts: Sequence[str]
    called: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.called:
            object.__setattr__(self, "called", tuple(map(str, range(len(self.texts)))))

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, rows: Int[Tensor, " m"]) -> "Texts":
        picked = rows.tolist()
        return Texts(tuple(self.texts[i] for i in picked), tuple(self.called[i] for i in picked))

    def __str__(self) -> str:
        return counted(len(self), "text")

    def digests(self) -> list[bytes]:
        """A hash of each text's characters."""
        # half of a pair of surrogates is no character, but strings can hold it
        content = (text.encode("utf-8", "surrogatepass") for text in self.texts)
        return [hashlib.blake2b(one, digest_size=16).digest() for one in content]

    def names(self) -> list[str]:
        return list(self.called)

    def joined(self, others: Sequence["Texts"]) -> "Texts":
        """These texts and others."""
        parts = [self, *others]
        return Texts(
            tuple(text for part in parts for text in part.texts),
            tuple(name for part in parts for name in part.called),
        )


def read_texts(
    path: str | Path,
    *,
    text: str | None = None,
    label: str | Sequence[str] | None = None,
    task: Task | None = None,
    group: str | None = None,
    spelling: Spelling = "error",
    labelled: bool | None = None,
) -> Domain:
    """Texts with what is known of their labels.

    path: a CSV or TSV file with a column of texts; or a folder of .txt files, one a text, with a sub-folder
        for each class or without labels; or a .txt file with one text a line, without labels.
    text: the column with the texts; the one named "text", or the only one beside the label.
    label, task, spelling: the label column, or columns, and what they ask for, as in `read_table`.
    group: what folds must not split: a column, or for a folder a regular expression, as in `read_images`.
    labelled: False reads no labels, and orders the files of a folder by their content, so that nothing of a
        label can be seen; True insists on labels.

    Texts without a visible character, and files that are not UTF-8, are left out and named. Raises InputError
    for a missing file or column, a table that is not UTF-8, and where nothing is left.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     file = Path(place) / "birds.csv"
    ...     _ = file.write_text("text,label\\nhoots at night,owl\\ncaws by day,crow\\n")
    ...     birds = read_texts(file)
    >>> str(birds), birds.x.names()
    ('2 texts, 2 classes', ['row 2', 'row 3'])
    """
    path = Path(path)
    if path.suffix.lower() in TABLES or (text is not None and path.is_file()):
        return _in_table(path, text, label, task, group, spelling, labelled)
    if text is not None or label is not None:
        raise InputError(f"{path} has no columns to name: give a CSV file, or leave --text and --label out")
    if path.is_file():
        if labelled:
            raise InputError(f"{path} has one text a line and no labels: give a CSV file with a label column")
        if group is not None:
            raise InputError(f"{path} has one text a line and no groups: give a CSV file with such a column")
        return _in_lines(path)
    return _in_files(path, group, labelled)


def _in_table(
    path: Path,
    text: str | None,
    label: str | Sequence[str] | None,
    task: Task | None,
    group: str | None,
    spelling: Spelling,
    labelled: bool | None,
) -> Domain:
    sheet = read_sheet(path)
    usual = any(name.lower() in LABEL_COLUMNS for name in sheet.columns)
    asked: tuple[str, ...] = ()
    if labelled or (labelled is None and (label is not None or usual)):
        asked = label_columns(path, sheet.columns, label)
    column = text if text is not None else _text_column(path, sheet.columns, label, group)
    must_have(path, sheet.columns, [column, *asked, *([] if group is None else [group])])
    if column in asked:
        raise InputError(f"{path}: {column!r} is the column of the texts and of the labels: name another one")
    at = sheet.columns.index(column)
    filled = [i for i, row in enumerate(sheet.rows) if row[at].strip()]
    if sheet.rows and not filled:
        raise InputError(
            f"no row of {path} has a text in the column {column!r}: name another column (--text)"
        )
    empty = sorted(set(range(len(sheet.rows))) - set(filled))
    answers = answers_in(path, sheet, asked, task, filled)
    texts = Texts(
        tuple(sheet.rows[i][at].strip() for i in answers.rows),
        tuple(f"row {sheet.numbers[i]}" for i in answers.rows),
    )
    left_out = (*answers.left_out, *((f"row {sheet.numbers[i]}", EMPTY) for i in empty))
    grouped = None if group is None else [sheet.rows[i][sheet.columns.index(group)] for i in answers.rows]
    return answers.known_of(Domain(texts, group=grouped, left_out=left_out), path, spelling)


def _text_column(
    path: Path, columns: Sequence[str], label: str | Sequence[str] | None, group: str | None
) -> str:
    """The column that is meant where none is named."""
    if named := [name for name in columns if name.lower() == TEXT_COLUMN]:
        return named[0]
    told = {label} if isinstance(label, str) else set(label or ())
    left = [n for n in columns if n.lower() not in LABEL_COLUMNS and n not in told and n != group]
    if len(left) == 1:
        return left[0]
    raise InputError(
        f"{path} has no column named {TEXT_COLUMN} (its columns: {', '.join(columns[:8])}"
        f"{', …' * (len(columns) > 8)}): name the one with the texts (--text NAME)"
    )


def _in_lines(path: Path) -> Domain:
    try:
        lines = utf8(read_file(path)).replace("\r\n", "\n").split("\n")
    except Unreadable as reason:
        raise InputError(f"{path} cannot be read ({reason}): give UTF-8 text, one text a line") from reason
    if not lines[-1]:
        lines.pop()  # what follows the end of the last line
    named = [(f"line {number}", line.strip()) for number, line in enumerate(lines, 1)]
    return Domain(_kept(path, named), left_out=tuple((name, EMPTY) for name, line in named if not line))


def _in_files(path: Path, group: str | None, labelled: bool | None) -> Domain:
    if labelled is False:
        found = in_folder(path, TEXTS)
    else:
        found = in_class_folders(path, required=labelled is True, files=TEXTS)
    groups = None if group is None else found.groups(group)
    left_out = list(found.left_out)
    read: dict[int, str] = {}
    for i, name in enumerate(found.names):
        try:
            text = utf8(read_file(path / name, MOST_BYTES)).strip()
        except Unreadable as reason:
            left_out.append((shown(name), str(reason)))
            continue
        if text:
            read[i] = text
        else:
            left_out.append((shown(name), EMPTY))
    texts = _kept(path, [(shown(found.names[i]), text) for i, text in read.items()])
    rows = list(read)
    if labelled is False:  # a folder or a name may tell the label, and by their order they would tell it too
        order = sorted(range(len(rows)), key=texts.digests().__getitem__)
        rows = [rows[i] for i in order]
        texts = Texts(tuple(texts.texts[i] for i in order), tuple(texts.called[i] for i in order))
    held = None if groups is None else [groups[i] for i in rows]
    domain = Domain(texts, group=held, left_out=tuple(sorted(left_out)))
    if found.labels is None:
        return domain
    told = {name: [cells[i] for i in rows] for name, cells in found.labels.items()}
    output, y, observed = answers_of(str(path), told, found.task, "keep")
    return domain.with_(y=y, output=output, observed=observed)


def _kept(path: Path, named: Sequence[tuple[str, str]]) -> Texts:
    """Those in which something is written."""
    filled = [(name, text) for name, text in named if text]
    if not filled:
        raise InputError(f"{path} holds no texts to read: check the path")
    names, texts = zip(*filled, strict=True)
    return Texts(texts, names)
