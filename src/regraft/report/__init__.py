"""The study as a page: one file that opens offline."""

import os
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from ..selection import Study

__all__ = ["check_file", "put", "write"]


def write(study: "Study", path: str | Path) -> Path:
    """Write the page; it appears whole or not at all. InputError where the path cannot be written."""
    from .page import page

    return put(page(study), path)


def put(text: str, path: str | Path) -> Path:
    """Write a file that appears whole or not at all. InputError where the path cannot be written."""
    target = check_file(path)
    content = text.encode()
    partial = target.parent / f".regraft-{uuid.uuid4().hex}.partial"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as reason:
        raise _unwritable(path, reason) from reason
    finally:
        with suppress(OSError):
            partial.unlink()
    return Path(path)


def check_file(path: str | Path) -> Path:
    """The file that a page at `path` will be; InputError, before any work is done, where it cannot be.

    >>> check_file(".")
    Traceback (most recent call last):
    regraft.errors.InputError: the report cannot be written to . (it is a folder): name a file
    """
    try:
        target = Path(path).resolve()
        if target.is_dir():
            raise _unwritable(path, "it is a folder")
        nearest = next(above for above in target.parents if above.exists())
        if not nearest.is_dir():
            raise _unwritable(path, f"{nearest.name} is a file")
        # only an attempt tells: permissions do not speak of read-only disks, nor to a superuser
        tempfile.TemporaryDirectory(dir=nearest).cleanup()
    except (OSError, RuntimeError) as reason:  # RuntimeError: links in a circle, before Python 3.13
        raise _unwritable(path, reason) from reason
    return target


def _unwritable(path: str | Path, reason: Exception | str) -> InputError:
    told = getattr(reason, "strerror", None) or reason
    return InputError(f"the report cannot be written to {path} ({told}): name a file")
