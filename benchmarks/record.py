"""Where benchmarks write what they measured."""

import re
from pathlib import Path

README = Path(__file__).with_name("README.md")


def record(name: str, text: str) -> None:
    """Put the text between `<!-- name:start -->` and `<!-- name:end -->` of README.md, or at its end."""
    start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
    section = f"{start}\n{text.strip()}\n{end}"
    page = README.read_text(encoding="utf-8") if README.is_file() else "# Benchmarks\n"
    found = re.search(f"{re.escape(start)}.*?{re.escape(end)}", page, re.DOTALL)
    page = page.replace(found[0], section) if found else f"{page.rstrip()}\n\n{section}\n"
    README.write_text(page, encoding="utf-8")
