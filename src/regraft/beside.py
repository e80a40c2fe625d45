"""What lies beside a model folder: told by the way there, never by a place on a disk."""

from pathlib import Path


def seen_from(model: Path, there: Path) -> str | None:
    """The way from a model folder to what lies below the folder it is in; of other places it tells nothing.

    >>> seen_from(Path("birds/model"), Path("birds/photos")), seen_from(Path("birds/model"), Path("photos"))
    ('../photos', None)
    """
    around, there = model.resolve().parent, there.resolve()
    return f"../{there.relative_to(around).as_posix()}" if around in there.parents else None


def seen_at(model: Path, way: object) -> Path | None:
    """What a way told by `seen_from` leads to, if it still leads somewhere."""
    if not isinstance(way, str):
        return None
    there = model.resolve() / way
    return there.resolve() if there.exists() else None
