"""What a folder holds, in an order that does not depend on the disk."""

import os
from pathlib import Path

from ..errors import InputError, near

JUNK = frozenset({"thumbs.db", "desktop.ini", "__macosx"})

LeftOut = list[tuple[str, str]]


def listed(root: Path, of: str = "images") -> tuple[list[str], LeftOut]:
    """The relative paths of all files below `root`, sorted, and the folders that cannot be opened.

    Hidden files and folders and what file managers leave behind are passed over. Links are followed,
    except to a folder that contains the link. of: what it should hold, for whoever names another.
    """
    _must_open(root, of)
    names: list[str] = []
    left_out: LeftOut = []
    waiting: list[tuple[str, tuple[Path, ...]]] = [("", (root.resolve(),))]
    while waiting:
        below, chain = waiting.pop()
        try:
            entries = list(os.scandir(root / below))
        except OSError as reason:
            left_out.append((shown(below), f"folder cannot be opened: {(reason.strerror or '').lower()}"))
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in JUNK:
                continue
            if not Path(entry.path).is_dir():  # which a link to itself is not; entry.is_dir() fails on it
                names.append(below + entry.name)
                continue
            real = Path(entry.path).resolve()
            if not any(real == above or real in above.parents for above in chain):
                waiting.append((f"{below}{entry.name}/", (*chain, real)))
    return sorted(names), sorted(left_out)


def shown(name: str) -> str:
    """A relative path as text that can be written anywhere, whatever bytes the disk has in it."""
    return os.fsencode(name).decode("utf-8", errors="replace")


def _must_open(root: Path, of: str) -> None:
    try:
        if not root.exists():
            beside = [entry.name for entry in root.parent.iterdir()] if root.parent.is_dir() else []
            raise InputError(f"folder {root} does not exist: give a folder of {of}{near(root.name, beside)}")
        if not root.is_dir():
            raise InputError(
                f"{root} is a file: give a folder of {of} (unpack an archive first) or a list of files"
            )
        with os.scandir(root):
            pass
    except OSError as reason:
        raise InputError(
            f"folder {root} cannot be opened ({reason.strerror}): check its permissions"
        ) from reason
