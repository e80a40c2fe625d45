"""Image files on disk, and folders of them read into domains."""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from ..domain import Domain
from ..errors import InputError
from ..output import Spelling, classes_of
from ..pooling import common_root
from ..progress import Progress, Silent
from .answers import Task, answers_of
from .decoding import Result, Unreadable, in_threads, read_file, size_of, thumbnail
from .folders import shown
from .labels import read_labels
from .listing import Listing, in_class_folders, in_folder, in_label_file, in_list

MOST_THUMBNAILS = 100_000  # kept in memory: 300 MB


@final
@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Images that stay on disk until a preprocessing asks for their pixels.

    paths: the files. root: what their names are relative to.
    hashes: of each file's bytes, when they have been read before; thumbnails: what `thumbnail` makes of them.
    """

    kind: ClassVar[str] = "images"

    paths: tuple[Path, ...]
    root: Path
    hashes: tuple[bytes, ...] | None = None
    thumbnails: UInt8[Tensor, "n 3 32 32"] | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows: Int[Tensor, " m"]) -> "ImageFiles":
        picked = rows.tolist()
        hashes = None if self.hashes is None else tuple(self.hashes[i] for i in picked)
        thumbnails = None if self.thumbnails is None else self.thumbnails[rows]
        return ImageFiles(tuple(self.paths[i] for i in picked), self.root, hashes, thumbnails)

    def joined(self, others: Sequence["ImageFiles"]) -> "ImageFiles":
        """These and others, by names from the folder that holds all of them."""
        parts = [self, *others]
        hashed = all(part.hashes is not None for part in parts)
        thumbnails = [part.thumbnails for part in parts if part.thumbnails is not None]
        return ImageFiles(
            tuple(path for part in parts for path in part.paths),
            common_root([part.root for part in parts]),
            tuple(digest for part in parts for digest in part.hashes or ()) if hashed else None,
            torch.cat(thumbnails) if len(thumbnails) == len(parts) else None,
        )

    def each(self, work: Callable[[bytes], Result]) -> list[Result]:
        """work(the file's bytes) for every file, in order, on all cores; a file that fails is named."""

        def of_file(path: Path) -> Result:
            try:
                return work(read_file(path))
            except Unreadable as reason:
                raise InputError(
                    f"image {self._name(path)} cannot be read ({reason}): repair it or leave it out"
                ) from reason

        return in_threads(of_file, self.paths)

    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of every image as it is meant to be seen."""
        return self.each(size_of)

    def digests(self) -> list[bytes]:
        if self.hashes is None:
            object.__setattr__(self, "hashes", tuple(self.each(_digest)))
        assert self.hashes is not None
        return list(self.hashes)

    def names(self) -> list[str]:
        return [self._name(path) for path in self.paths]

    def __str__(self) -> str:
        return f"{len(self)} image file{'s' * (len(self) != 1)}"

    def _name(self, path: Path) -> str:
        return shown((path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix())


def image_files(paths: Sequence[str | Path]) -> ImageFiles:
    """Files by name, in the order given, none of them opened yet."""
    return ImageFiles(tuple(Path(name) for name in in_list(paths).names), Path())


def read_images(
    path: str | Path | Sequence[str | Path],
    *,
    labels: str | Path | None = None,
    label: str | Sequence[str] | None = None,
    task: Task | None = None,
    group: str | None = None,
    spelling: Spelling = "error",
    labelled: bool | None = None,
    progress: Progress | None = None,
) -> Domain:
    """The images of a folder, every one decoded once, with what is known of their labels.

    path: a folder with one sub-folder for each class; or a folder of images whose labels come from a
        label file or stay unknown; or a list of files, without labels.
    labels: a CSV table with the columns file (relative to the folder) and label.
    label, task: the label column, or columns, of that table, and what they ask for, as in `read_table`.
    group: what folds must not split: a column of the label file, or a regular expression for the relative
        path, whose first group (or whole match) names the group.
    spelling: what to do with labels that differ only by case, space or Unicode form.
    labelled: False ignores sub-folders and orders the images by their content, so that nothing of a
        label can be seen; True insists on labels.

    Images are ordered by relative path; a list stays as it is. A file that cannot be used is in
    `left_out` with its reason, and so is a folder that cannot be opened; hidden files are passed over.
    `InputError` where there is no folder, no image, or no label that was asked for.

    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> with TemporaryDirectory() as photos:
    ...     for name in ("owl", "crow"):
    ...         Path(photos, name).mkdir()
    ...         Image.new("RGB", (4, 4)).save(Path(photos, name, "1.png"))
    ...     birds = read_images(photos)
    >>> str(birds), birds.x.names()
    ('2 image files, 2 classes', ['crow/1.png', 'owl/1.png'])
    """
    found = _found(path, labels, labelled, label, task)
    if not found.names:
        raise InputError(f"{_called(path)} holds no images to read{_such_as(found.left_out)}: check the path")
    known = found.labels
    if known is not None and found.task == "classes":
        known = {name: classes_of(cells, spelling)[1] for name, cells in known.items()}
    groups = None if group is None else found.groups(group)

    files = tuple(found.root / name for name in found.names)
    results = _decoded(files, progress)
    broken = [
        (shown(name), str(result))
        for name, result in zip(found.names, results, strict=True)
        if isinstance(result, Unreadable)
    ]
    left_out = tuple(sorted([*found.left_out, *broken]))
    seen = {i: result for i, result in enumerate(results) if not isinstance(result, Unreadable)}
    if not seen:
        raise InputError(f"none of the images of {_called(path)} can be read{_such_as(broken)}")

    # A folder or a name may tell the label, and by their order they would tell it too.
    rows = sorted(seen, key=lambda i: seen[i][0]) if labelled is False else list(seen)
    hashes, thumbnails = zip(*(seen[i] for i in rows), strict=True)
    kept = torch.stack(thumbnails) if len(rows) <= MOST_THUMBNAILS else None
    x = ImageFiles(tuple(files[i] for i in rows), found.root, hashes, kept)
    held = None if groups is None else [groups[i] for i in rows]
    domain = Domain(x, group=held, left_out=left_out)
    if known is None:
        return domain
    told = {name: [cells[i] for i in rows] for name, cells in known.items()}
    output, y, observed = answers_of(_called(labels or path), told, found.task, "keep")
    return domain.with_(y=y, output=output, observed=observed)


def _found(
    path: str | Path | Sequence[str | Path],
    labels: str | Path | None,
    labelled: bool | None,
    label: str | Sequence[str] | None,
    task: Task | None,
) -> Listing:
    if labels is not None and labelled is False:
        raise InputError("labels and labelled=False contradict each other: drop one of them")
    if not isinstance(path, str | Path):
        if labels is not None or labelled:
            raise InputError("a list of files has no labels: give the folder that they are in")
        return in_list(path)
    if labels is not None:
        return in_label_file(Path(path), read_labels(Path(labels)), label, task)
    if labelled is False:
        return in_folder(Path(path))
    return in_class_folders(Path(path), required=labelled is True)


def _decoded(files: Sequence[Path], progress: Progress | None) -> list[tuple[bytes, Tensor] | Unreadable]:
    """Each file's digest and thumbnail, or why it cannot be used."""

    def attempt(path: Path) -> tuple[bytes, Tensor] | Unreadable:
        try:
            content = read_file(path)
            return _digest(content), thumbnail(content)
        except Unreadable as reason:
            return reason

    with warnings.catch_warnings(), (progress or Silent()).track("reading images", len(files)) as task:
        warnings.filterwarnings("ignore", module="PIL")  # odd metadata, and bombs, which have a reason here
        return in_threads(attempt, files, task.advance)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _called(path: str | Path | Sequence[str | Path]) -> str:
    return str(path) if isinstance(path, str | Path) else "the list"


def _such_as(left_out: Sequence[tuple[str, str]]) -> str:
    return f" ({left_out[0][0]}: {left_out[0][1]})" if left_out else ""
