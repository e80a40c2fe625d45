"""Where files go that nobody named."""

import os
from pathlib import Path
from typing import Any

from ..beside import seen_at


def cache_folder() -> Path:
    """REGRAFT_CACHE, or the user's cache folder: stored activations and checkpoints, safe to delete."""
    named = os.environ.get("REGRAFT_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "regraft"


def record_folder() -> Path:
    """Where the readings of test sets are noted: not in the cache, unless REGRAFT_CACHE names one."""
    if os.environ.get("REGRAFT_CACHE"):
        return cache_folder() / "tests"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "regraft" / "tests"


def samples_of(model: Path, provenance: dict[str, Any]) -> Path | None:
    """Where the samples of a model's fit lie, if `seen_from` told the way and it still leads there."""
    return seen_at(model, provenance.get("samples_at"))
