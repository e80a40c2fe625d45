"""Which files of samples there are and what is known of each, before any is opened."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from ..errors import InputError, near
from .answers import Columns, Task, known_rows, task_of
from .folders import listed, shown
from .grouping import matches
from .labels import LabelFile, key

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".pfm"}
)
TEXT_EXTENSIONS = frozenset({".txt"})
OTHER_FORMATS = frozenset({".heic", ".heif", ".avif", ".jp2", ".svg", ".psd", ".dng", ".cr2", ".nef", ".arw"})


@final
@dataclass(frozen=True)
class Files:
    """A kind of samples that are files. extensions: theirs. noun: what one of them is called."""

    noun: str
    extensions: frozenset[str]

    @property
    def nouns(self) -> str:
        return f"{self.noun}s"

    def has(self, name: str) -> bool:
        return Path(name).suffix.lower() in self.extensions

    def why_not(self, name: str) -> str:
        """Why a file is none of them."""
        suffix = Path(name).suffix.lower()
        if self is IMAGES and suffix in OTHER_FORMATS:
            return f"format not supported ({suffix}): convert it to JPEG or PNG"
        article = "an" if self.noun[0] in "aeiou" else "a"
        return f"not {article} {self.noun} file ({suffix or 'no extension'})"


IMAGES, TEXTS = Files("image", EXTENSIONS), Files("text", TEXT_EXTENSIONS)


@final
@dataclass(frozen=True)
class Listing:
    """The files by their names relative to `root`; labels and rows of the label file where there are any.

    labels: the cells of each label column, by name. task: what they ask for.
    """

    root: Path
    names: Sequence[str]
    left_out: Sequence[tuple[str, str]] = ()
    labels: Columns | None = None
    task: Task = "classes"
    rows: Sequence[dict[str, str]] = field(default=())

    def groups(self, group: str) -> list[str]:
        """The group of each image: from a column of the label file, or by a regular expression."""
        if self.rows and group in self.rows[0]:
            values = [row[group].strip() for row in self.rows]
            if "" in values:
                name = shown(self.names[values.index("")])
                raise InputError(f"{name} has no {group} in the label file: fill the column")
            return values
        found = matches(group, self.names)
        if not all(found):
            columns = f"is no column of the label file ({', '.join(self.rows[0])}) and " if self.rows else ""
            name = shown(self.names[next(i for i, value in enumerate(found) if not value)])
            raise InputError(f"group {group!r} {columns}does not match {name}: it has to find a group in all")
        return [value for value in found if value]


def in_list(paths: Sequence[str | Path]) -> Listing:
    """The files that are named, in that order; they must exist."""
    files = [Path(path) for path in paths]
    must_exist([str(file) for file in files if not file.exists()], "the list")
    return Listing(Path(), [str(file) for file in files])


def in_folder(root: Path, files: Files = IMAGES) -> Listing:
    """All images, or other files, below a folder, wherever they lie."""
    names, left_out = listed(root, files.nouns)
    left_out += [(shown(name), files.why_not(name)) for name in names if not files.has(name)]
    return Listing(root, [name for name in names if files.has(name)], left_out)


def in_class_folders(root: Path, *, required: bool, files: Files = IMAGES) -> Listing:
    """The images, or other files, below a folder, labelled by its sub-folders.

    Without any they are unlabelled, unless `required`.
    """
    found = in_folder(root, files)
    inside = [name for name in found.names if "/" in name]
    if not inside and not required:
        return found
    if not inside and found.names:
        raise InputError(
            f"{root} has no sub-folders with {files.nouns}: make one for each class, or give a label file "
            "(--labels)"
        )
    outside = [(shown(name), "not in a class folder") for name in found.names if "/" not in name]
    labels = [shown(name.split("/", 1)[0]) for name in inside]
    return Listing(root, inside, [*found.left_out, *outside], {"label": labels})


def in_label_file(
    root: Path, table: LabelFile, label: str | Sequence[str] | None = None, task: str | None = None
) -> Listing:
    """The files of a folder that a label file names, whatever their extension."""
    files, left_out = listed(root)
    columns = table.label_columns(label)
    rows = table.by_file(root, columns)
    told = {name: [row[name] for row in rows.values()] for name in columns}
    kind = task_of(table.path.name, told, task)
    labelled = {list(rows)[i] for i in known_rows(kind, told)} if rows else set()
    must_exist(sorted(set(rows) - set(map(key, files))), table.path.name, files)
    names = []
    for name in files:
        if key(name) in labelled:
            names.append(name)
        elif key(name) in rows or IMAGES.has(name):
            left_out.append((shown(name), f"no label in {table.path.name}"))
        elif (root / name).resolve() != table.path.resolve():
            left_out.append((shown(name), IMAGES.why_not(name)))
    known = [rows[key(name)] for name in names]
    labels = {column: [row[column] for row in known] for column in columns}
    return Listing(root, names, left_out, labels, kind, known)


def must_exist(missing: Sequence[str], named_by: str, there: Sequence[str] = ()) -> None:
    if missing:
        count = (
            f"{len(missing)} file{'s' * (len(missing) > 1)} that {'do' if missing[1:] else 'does'} not exist"
        )
        some = ", ".join(map(shown, missing[:3])) + ", …" * (len(missing) > 3)
        raise InputError(
            f"{named_by} names {count}: {some}{near(missing[0], list(there)) or '; check the paths'}"
        )
