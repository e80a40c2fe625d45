"""Bytes as text."""

from .decoding import Unreadable


def utf8(content: bytes) -> str:
    """What bytes in UTF-8 say, without the mark that some programs put in front.

    Raises `Unreadable` with the reason.

    >>> utf8(b"\\xef\\xbb\\xbfowl")
    'owl'
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("in UTF-16")
    if b"\0" in content:
        raise Unreadable("a binary file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise Unreadable(f"not UTF-8 text (byte {reason.start})") from reason
