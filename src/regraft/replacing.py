"""A new folder in the place of an old one, in one step where the system can."""

import ctypes
import os
import shutil
import sys
from pathlib import Path

EXCHANGE = 2  # RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS


def replace_folder(target: Path, new: Path, old: Path) -> None:
    """Put `new` in the place of `target`, which is deleted; `target` comes back whatever interrupts.

    On Linux and macOS the two are exchanged at once, so that a process killed at any moment leaves one or
    the other whole. Elsewhere the old one waits under the name `old` between two renames.
    """
    if target.exists() and _exchanged(target, new):
        shutil.rmtree(new, ignore_errors=True)
        return
    try:
        if target.exists():
            target.rename(old)
        new.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Whether the two names were exchanged; not every system, library and file system can."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            here = -100  # AT_FDCWD: relative to the working folder
            return bool(libc.renameat2(here, os.fsencode(one), here, os.fsencode(other), EXCHANGE) == 0)
        if sys.platform == "darwin":
            return bool(libc.renamex_np(os.fsencode(one), os.fsencode(other), EXCHANGE) == 0)
    except (OSError, AttributeError):
        pass
    return False
