"""An HTML file that needs nothing but itself."""

import base64
import hashlib

from .. import __version__
from .markup import Content, Html, tag


def document(title: str, body: Content, style: str, script: str = "") -> str:
    """A page of one file that asks for nothing from outside.

    Its Content-Security-Policy allows no request at all and no style or script but its own two, by their
    hashes: even a name that came through as HTML could not run.

    >>> document("1 < 2", tag("p", "so it is"), "p { color: green }").count("1 &lt; 2")
    1
    """
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="generator", content=f"Regraft {__version__}"),
        tag("title", title),
        tag("style", Html(style)),
    )
    whole = tag("html", head, tag("body", body, tag("script", Html(script)) if script else None), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
