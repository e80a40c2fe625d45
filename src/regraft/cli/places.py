"""Where files go that nobody named."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """REGRAFT_CACHE, or the user's cache folder: stored activations and checkpoints, safe to delete."""
    named = os.environ.get("REGRAFT_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "regraft"
