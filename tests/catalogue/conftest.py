"""The catalogue of bad input as docs/bad-input.md has it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "bad-input.md"


@pytest.fixture
def page() -> Callable[[str, Sequence[Sequence[str]]], None]:
    """page("Images", rows) fails unless the table under that heading has just these rows."""

    def check(heading: str, rows: Sequence[Sequence[str]]) -> None:
        _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
        lines = [line for line in rest.split("\n## ")[0].splitlines() if line.startswith("|")]
        expected = [f"| {' | '.join(row)} |" for row in rows]
        assert lines[2:] == expected, f"{PAGE.name}, {heading}, should be:\n" + "\n".join(expected)

    return check
