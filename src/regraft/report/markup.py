"""HTML in which every string is text until it is said to be HTML."""

import html
import re
from collections.abc import Iterable
from typing import final

# control characters, halves of pairs, and the marks that turn the direction of what comes after them
UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
VOID = frozenset({"br", "img", "meta", "wbr"})


@final
class Html(str):
    """Text that is HTML already; any other string is escaped by `tag`."""

    __slots__ = ()


Content = str | None | Iterable["Content"]


def tag(name: str, /, *content: Content, **attributes: object) -> Html:
    """An element with its content. Attributes that are None or False are left out.

    An underscore in an attribute's name stands for a hyphen, and is dropped at its end.

    >>> tag("p", "1 < 2 & ", tag("b", "so on"), class_="note")
    '<p class="note">1 &lt; 2 &amp; <b>so on</b></p>'
    >>> tag("img", alt='"><script>')
    '<img alt="&quot;&gt;&lt;script&gt;">'
    """
    told = "".join(_attribute(key, value) for key, value in attributes.items())
    return Html(f"<{name}{told}>" if name in VOID else f"<{name}{told}>{joined(content)}</{name}>")


def joined(content: Content) -> Html:
    """Content one after another, escaped where it is text.

    >>> joined(["a<b", None, [Html("<br>")]])
    'a&lt;b<br>'
    """
    if content is None:
        return Html()
    if isinstance(content, Html):
        return content
    if isinstance(content, str):
        return Html(html.escape(seen(content)))
    return Html("".join(joined(part) for part in content))


def seen(text: str) -> str:
    """Text without what cannot be seen and would steer how the rest is shown; a mark stands for each.

    >>> seen("owl\\x1b[31m \\u202egpj.exe")
    'owl�[31m �gpj.exe'
    """
    return UNSEEN.sub("\ufffd", text)


def short(text: str, most: int = 60) -> str:
    """The beginning and the end of a long text.

    >>> short("a" * 50 + "/photo.jpg", 21)
    'aaaaaaaaaa…/photo.jpg'
    """
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[: most - 1 - half]}…{text[-half:]}"


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(seen(str(value)))}"'
