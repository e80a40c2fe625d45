"""What the sections are made of: tables, facts, figures."""

from collections.abc import Iterable, Sequence

from .markup import Content, Html, short, tag

SENTENCE = 500  # letters, after which a text from outside is shortened


def cell(content: Content, value: float | str | None = None, class_: str | None = None) -> Html:
    """A cell of a table. value: what it is sorted by, where that is not its text; a number stands right."""
    told = class_ or ("number" if isinstance(value, float | int) else None)
    return tag("td", content, class_=told, data_value=value)


def head(content: Content) -> Html:
    """The cell that names its row."""
    return tag("th", content, scope="row")


def numbers(title: Content) -> Html:
    """The title of a column of numbers, which stand right."""
    return tag("th", title, scope="col", class_="number")


def column(title: Content) -> Html:
    """The title of any other column."""
    return tag("th", title, scope="col")


def table(label: str, header: Sequence[Html], rows: Iterable[Sequence[Html]], class_: str = "") -> Html:
    """A table that scrolls inside its own box where it is wider than the page.

    >>> table("birds", [column("class"), numbers("labels")], [[head("owl"), cell("2", 2)]]).count("<th ")
    3
    """
    titles = tag("tr", header)
    body = [tag("tr", row) for row in rows]
    whole = tag("table", tag("thead", titles), tag("tbody", body), class_=f"sortable {class_}".strip())
    return scrolling(label, whole)


def scrolling(label: str, content: Content) -> Html:
    """A box that scrolls sideways, by keyboard too."""
    return tag("div", content, class_="scroll", role="region", aria_label=label, tabindex=0)


def facts(pairs: Iterable[tuple[str, Content]]) -> Html:
    """Names and what they are; what is None is passed over."""
    return tag("dl", [(tag("dt", name), tag("dd", told)) for name, told in pairs if told is not None])


def figure(content: Content, caption: Content, class_: str | None = None) -> Html:
    return tag("figure", content, tag("figcaption", caption), class_=class_)


def counted(n: int, noun: str, plural: str = "") -> str:
    """
    >>> counted(1, "sample"), counted(1200, "sample"), counted(2, "class", "classes")
    ('1 sample', '1,200 samples', '2 classes')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def list_of(pairs: Sequence[tuple[str, str]], most: int) -> Content:
    """Names with what is said of each: the first few in sight, the others folded, none twice."""

    def told(some: Sequence[tuple[str, str]]) -> Html:
        return tag(
            "ul", [tag("li", tag("b", name_of(name)), ": ", short(why, SENTENCE)) for name, why in some]
        )

    if len(pairs) <= most:
        return told(pairs)
    rest = pairs[most : 20 * most]
    beyond = len(pairs) - most - len(rest)
    return [
        told(pairs[:most]),
        tag("details", tag("summary", f"{len(pairs) - most:,} more"), told(rest)),
        tag("p", f"{beyond:,} more are in study.json.") if beyond else None,
    ]


def name_of(name: str, most: int = 60) -> Html:
    """A name from the data: isolated from the direction of what stands around it, and never too long."""
    first, *others = short(name, most).split("/")
    may_break = [["/", tag("wbr"), part] for part in others]
    return tag("bdi", first, may_break, title=name[:SENTENCE] if len(name) > most else None)
