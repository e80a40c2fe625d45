"""Groups by a regular expression, which may take longer than anybody waits."""

import json
import subprocess
import sys
from collections.abc import Sequence

from ..errors import InputError

SECONDS = 5.0
# Python's matching neither lets other threads run nor ends by itself, so it runs where it can be ended
SEARCH = """
import json, re, sys
pattern, names = json.load(sys.stdin)
try:
    compiled = re.compile(pattern)
except (re.error, OverflowError, RecursionError) as reason:
    sys.exit(str(reason))
found = (compiled.search(name) for name in names)
json.dump([match and (match[1] if compiled.groups else match[0]) for match in found], sys.stdout)
"""


def matches(pattern: str, names: Sequence[str], seconds: float = SECONDS) -> list[str | None]:
    """What the first group of the expression, or the whole of one without groups, finds in each name.

    Raises InputError for what is no regular expression and for one that takes more than `seconds` in all.

    >>> matches(r"(site\\d)_", ["site1_a.jpg", "site2_b.jpg", "x.jpg"])
    ['site1', 'site2', None]
    >>> matches("(a+)+$", ["a" * 40 + "!"], seconds=0.5)
    Traceback (most recent call last):
    regraft.errors.InputError: group '(a+)+$' takes more than 0.5 s to search 1 names: write an expression \
without repeats inside repeats
    """
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", SEARCH],
            input=json.dumps([pattern, list(names)]),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as reason:
        raise InputError(
            f"group {pattern!r} takes more than {seconds:g} s to search {len(names)} names: "
            "write an expression without repeats inside repeats"
        ) from reason
    if done.returncode:
        told = (done.stderr.strip().splitlines() or ["it cannot be searched for"])[-1]
        raise InputError(f"group {pattern[:200]!r} is no regular expression ({told}): correct it")
    found: list[str | None] = json.loads(done.stdout)
    return found
