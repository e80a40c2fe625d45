"""A test set is for one last number: every time it is read is written down."""

import contextlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..domain import Domain


@dataclass(frozen=True)
class Reading:
    """One look at a test set: which (its fingerprint), when, by which model, and what came out."""

    test: str
    when: str
    model: str
    samples: int
    metric: str
    score: float


def note_reading(
    test: Domain, model: str, metric: str, score: float, record: Path | None = None
) -> tuple[Reading, ...]:
    """All readings of these test samples so far, this one last; `record` is a folder that keeps them.

    Samples and labels count, not the names of files: a copy of a test set is the same test set. Whoever
    chooses among models by a test set has chosen on it, and its score is no longer that of unseen samples.

    >>> from tempfile import TemporaryDirectory
    >>> test = Domain([[0.0], [1.0]], ["owl", "crow"])
    >>> with TemporaryDirectory() as folder:
    ...     one, two = (note_reading(test, name, "accuracy", 0.9, Path(folder)) for name in ("a", "b"))
    >>> len(one), [reading.model for reading in two]
    (1, ['a', 'b'])
    """
    seen = test.fingerprint()
    now = Reading(seen, datetime.now(UTC).isoformat(timespec="seconds"), model, len(test), metric, score)
    if record is None:
        return (now,)
    file = record / f"{seen}.jsonl"
    earlier: list[Reading] = []
    with contextlib.suppress(OSError, ValueError, TypeError):  # what cannot be kept is still in the study
        if file.is_file():
            lines = file.read_text(encoding="utf-8").splitlines()
            earlier = [Reading(**json.loads(line)) for line in lines]
    with contextlib.suppress(OSError):
        record.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as kept:
            kept.write(json.dumps(asdict(now)) + "\n")
    return (*earlier, now)


def times_read(readings: tuple[Reading, ...]) -> str:
    """How often, in words.

    >>> reading = Reading("", "", "a", 2, "accuracy", 0.9)
    >>> times_read((reading,)), times_read((reading,) * 3)
    ('read for the first time', 'read 3 times: the best of several readings looks better than it is')
    """
    if len(readings) <= 1:
        return "read for the first time"
    return f"read {len(readings)} times: the best of several readings looks better than it is"
