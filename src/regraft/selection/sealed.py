"""A test set is for one last number: every time it is read is written down."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..doctor import Finding, unseen
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


@dataclass(frozen=True, eq=False)
class SealedTest:
    """Samples kept for the last number: those of a test set that are no copies of labelled ones.

    fingerprint: of the set as it was given, so that other labelled samples do not make it another set.
    findings: what was left out of it.

    >>> labelled = Domain([[0.0], [1.0]], ["owl", "crow"])
    >>> test = SealedTest.of(Domain([[0.0], [2.0]], ["owl", "crow"]), labelled)
    >>> len(test.samples), test.findings[0].message
    (1, 'left out of the test: 1 of 2 samples, copies of labelled ones')
    """

    samples: Domain
    fingerprint: str
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, test: Domain, labelled: Domain) -> "SealedTest":
        samples, findings = unseen(test, labelled)
        return cls(samples, test.fingerprint(), findings)


def note_reading(reading: Reading, record: Path) -> tuple[Reading, ...]:
    """All readings of these test samples so far, this one last; `record` is the folder that keeps them.

    Samples and labels count, not the names of files: a copy of a test set is the same test set. Whoever
    chooses among models by a test set has chosen on it, and its score is no longer that of unseen samples.

    >>> from tempfile import TemporaryDirectory
    >>> readings = [Reading("a1b2", "now", name, 2, "accuracy", 0.9) for name in ("a", "b")]
    >>> with TemporaryDirectory() as folder:
    ...     one, two = (note_reading(reading, Path(folder)) for reading in readings)
    >>> len(one), [reading.model for reading in two]
    (1, ['a', 'b'])
    """
    file = record / f"{reading.test}.jsonl"
    earlier: list[Reading] = []
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in file.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError, TypeError):  # a line that was cut off
                earlier.append(Reading(**json.loads(line)))
    with contextlib.suppress(OSError):  # what cannot be kept is still in the study
        record.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as kept:
            kept.write(f"\n{json.dumps(asdict(reading))}\n")  # begins a line even after one that was cut off
    return (*earlier, reading)


def reading_now(test: str, model: str, samples: int, metric: str, score: float) -> Reading:
    """A reading at this moment."""
    return Reading(test, datetime.now(UTC).isoformat(timespec="seconds"), model, samples, metric, score)


def times_read(readings: Sequence[Reading]) -> str:
    """How often, in words; none are known where nothing is recorded.

    >>> reading = Reading("", "", "a", 2, "accuracy", 0.9)
    >>> times_read((reading,)), times_read((reading,) * 3)
    ('read for the first time', 'read 3 times: the best of several readings looks better than it is')
    >>> times_read(())
    'readings not recorded'
    """
    if not readings:
        return "readings not recorded"
    if len(readings) == 1:
        return "read for the first time"
    return f"read {len(readings)} times: the best of several readings looks better than it is"
