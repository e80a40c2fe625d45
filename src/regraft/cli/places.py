"""Where files go that nobody named."""

import os
from pathlib import Path
from typing import Any


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


def seen_from(model: Path, samples: Path) -> str | None:
    """The way from a model folder to the samples below the folder it is in; of other places it tells nothing.

    >>> seen_from(Path("birds/model"), Path("birds/photos")), seen_from(Path("birds/model"), Path("photos"))
    ('../photos', None)
    """
    around, there = model.resolve().parent, samples.resolve()
    return f"../{there.relative_to(around).as_posix()}" if around in there.parents else None


def samples_of(model: Path, provenance: dict[str, Any]) -> Path | None:
    """Where the samples of a model's fit lie, if `seen_from` told the way and it still leads there."""
    way = provenance.get("samples_at")
    if not isinstance(way, str):
        return None
    there = model.resolve() / way
    return there.resolve() if there.exists() else None
