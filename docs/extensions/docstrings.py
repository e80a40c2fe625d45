"""Docstrings as Markdown: examples become code, lines that explain a parameter become a list."""

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^>>> .*?(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)
PARAMETER = re.compile(r"^([a-z_]+(?:, [a-z_]+)*): (?=\S)")


class AsMarkdown(griffe.Extension):
    """Rewrites every docstring before it is rendered."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """The docstring with its examples fenced and its parameters as list items.

    >>> print(as_markdown("x: the samples,\\n    one a row.\\n\\n>>> 1 + 1\\n2"))
    - **x**: the samples,
        one a row.
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    """
    paragraphs = []
    for paragraph in text.split("\n\n"):
        if EXAMPLE.match(paragraph):
            paragraphs.append(f"```pycon\n{paragraph}\n```")
        elif PARAMETER.match(paragraph):
            lines = [PARAMETER.sub(r"- **\1**: ", line) for line in paragraph.split("\n")]
            paragraphs.append("\n".join(lines))
        else:
            paragraphs.append(paragraph)
    return "\n\n".join(paragraphs)
