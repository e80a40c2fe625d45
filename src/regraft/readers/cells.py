"""The cells of a table: numbers, gaps, and everything else."""

import math
import re

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+(e[+-]?\d+)?\s*", re.IGNORECASE)


def is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING


def number(cell: str) -> float | None:
    """The finite number that a cell holds, NaN where it is missing, None where it holds something else.

    >>> number("1e3"), number("NA"), number("inf"), number("red"), number("12_34")
    (1000.0, nan, None, None, None)
    """
    if is_missing(cell):
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return None
    # Python reads 12_34 as 1234; in a table it is a name
    return value if math.isfinite(value) and "_" not in cell else None


def with_point(cell: str) -> str:
    """The same cell with a decimal point, where a number had a comma.

    >>> with_point("3,5"), with_point("3,5 m")
    ('3.5', '3,5 m')
    """
    return cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell
