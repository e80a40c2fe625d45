"""Samples without labels, from the command line."""

import re
from pathlib import Path
from typing import Any

import click
import torch

from ..domain import Domain
from ..errors import InputError
from ..progress import Progress
from ..readers import Table
from ..readers.answers import columns_named
from ..readers.tables import LABEL_COLUMNS, must_have
from ..samples import kind_of, sample_names
from ..text import plain
from .options import read, report_unreadable

DIGITS = re.compile(r"(\d+)")


def read_pool(
    path: Path,
    *,
    label: str | None = None,
    group: str | None = None,
    text: str | None = None,
    beside: Domain | None = None,
    grouped: bool = False,
    progress: Progress | None = None,
) -> Domain:
    """The samples at a path, of whose labels nothing is looked at.

    Of a table the label column, which `label` names or has a usual name, and the column of groups are no
    features; beside a table that was read already, nothing is that this one does not have. What is left out
    is noted. grouped: whether groups are read, and not only left out.
    """
    pool = read(
        path,
        label=label if text is not None else None,
        group=group if grouped else None,
        text=text,
        labelled=False,
        progress=progress,
    )
    report_unreadable(pool, path)
    if not isinstance(pool.x, Table):
        if group is not None and beside is None and not grouped:
            raise InputError(
                f"--group says nothing of {path}, which has neither folds nor frames: leave it out"
            )
        return pool
    columns = pool.x.columns
    if beside is not None and isinstance(beside.x, Table):
        gone = [name for name in columns if name not in beside.x.columns]
    else:
        named = [] if label is None else list(columns_named(label, columns))
        must_have(path, columns, [*named, *([] if group is None or grouped else [group])])
        usual = [name for name in columns if name.lower() in LABEL_COLUMNS][-1:]
        gone = [name for name in columns if name in (named or usual) or name == group]
    if len(gone) == len(columns):
        raise InputError(f"{path} has no column to learn from besides {', '.join(map(repr, gone))}")
    if gone:
        listed = ", ".join(map(repr, gone))
        click.echo(plain(f"note: {path}: nothing is learned from the column {listed}"), err=True)
        pool = pool.with_(x=pool.x.only([name for name in columns if name not in gone]))
    return pool


def read_frames(path: Path, *, group: str | None, progress: Progress | None = None, **how: Any) -> Domain:
    """Samples in the order of time: rows as they come, pictures by their names, of which numbers count."""
    if path.is_file():
        return read_pool(path, group=group, grouped=True, progress=progress, **how)
    frames = read(path, group=group, labelled=None, progress=progress).unlabelled()
    report_unreadable(frames, path)
    if kind_of(frames.x) != "images":
        return frames
    names = sample_names(frames.x)
    return frames[torch.tensor(sorted(range(len(names)), key=lambda i: natural(names[i])))]


def natural(name: str) -> list[tuple[int, str]]:
    """A key by which names with numbers in them are in the order that one counts in.

    >>> sorted(["b2", "a10", "a9"], key=natural)
    ['a9', 'a10', 'b2']
    """
    parts = DIGITS.split(name)
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)]
