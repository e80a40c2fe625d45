"""Results as plain text that fits a terminal."""

import unicodedata
from collections.abc import Iterable, Sequence


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width under a header and a rule.

    >>> print(aligned(["name", "n"], [["owl", "2"], ["crow", "10"]]))
    name  n
    ────────
    owl   2
    crow  10
    """
    cells = [[plain(cell) for cell in row] for row in [header, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "─" * max(map(len, lines)), *lines[1:]])


def plain(text: str) -> str:
    """Text from files without what would steer a terminal: control and format characters become "?".

    >>> plain("ow\\x1b[31ml")
    'ow?[31ml'
    """
    return "".join("?" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text)


def counted(count: int, one: str, several: str = "") -> str:
    """
    >>> counted(1, "owl"), counted(2, "owl"), counted(2, "class", "classes")
    ('1 owl', '2 owls', '2 classes')
    """
    return f"{count} {one if count == 1 else several or one + 's'}"


def some_of(names: Iterable[str], most: int = 5) -> str:
    """The first of the names, and whether there are more.

    >>> some_of(["owl", "crow"]), some_of("abc", most=2)
    ('owl, crow', 'a, b, …')
    """
    listed = list(names)
    return ", ".join([*listed[:most], *["…"] * (len(listed) > most)])


def seconds_text(seconds: float) -> str:
    """
    >>> seconds_text(0.04), seconds_text(12.34), seconds_text(200)
    ('0.04', '12.3', '3 min 20')
    """
    if seconds < 10:
        return f"{seconds:.2f}"
    return f"{seconds:.1f}" if seconds < 120 else f"{int(seconds // 60)} min {int(seconds % 60)}"
