"""The one error a user is meant to read."""


class InputError(ValueError):
    """What was given, what was expected, what to do: in one line.

    The command line prints it and exits with code 2; in Python it is a `ValueError`.
    """


def near(name: str, known: list[str]) -> str:
    """A hint that names what was probably meant, or nothing.

    >>> near("mobilnet", ["mobilenet", "resnet"])
    '; did you mean mobilenet?'
    """
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(close)}?" if close else ""


def first_line(reason: BaseException) -> str:
    """The first line of what an error says, at most 200 letters long.

    >>> first_line(ValueError("no\\nwonder")), first_line(MemoryError())
    ('no', 'MemoryError')
    """
    return (str(reason).splitlines() or [type(reason).__name__])[0][:200]
