"""How far apart domains are, as a page."""

from collections.abc import Callable, Sequence
from datetime import date
from importlib.resources import files

from .. import __version__
from ..shift import Bound, Pair, Shift, Way
from ..shift.differences import Difference
from .blocks import cell, column, figure, head, name_of, numbers, scrolling, table
from .document import document
from .markup import Content, Html, short, tag

TITLE = "How far apart the domains are"
SHADES = 10
MOST_COLUMNS = 40  # in a table of what differs


def page(found: Shift) -> str:
    """The matrices, what differs and the bounds, as one HTML file that asks for nothing from outside."""
    style, script = (
        files(__package__).joinpath(name).read_text("utf-8") for name in ("style.css", "page.js")
    )
    body: Content = [
        tag(
            "header",
            tag("p", f"Regraft {__version__} · {date.today():%d %B %Y}", class_="kicker"),
            tag("h1", TITLE),
            tag("p", short(found.setting, 500), class_="subject"),
        ),
        tag(
            "main",
            _section("Discrepancy", _discrepancy(found)),
            _section("Reweighting", _reweighting(found)),
            [_section([name_of(a), " and ", name_of(b)], _pair(found, a, b)) for a, b in found.pairs],
        ),
    ]
    return document(f"{', '.join(found.names)}: {TITLE.lower()}", body, style, script)


def _section(title: Content, *content: Content) -> Html:
    return tag("section", tag("h2", title), content)


def _discrepancy(found: Shift) -> Html:
    def told(a: str, b: str) -> str:
        apart = found.pair(a, b).apart
        return f"{short(a, 40)} and {short(b, 40)}: discrepancy {apart.discrepancy}, AUC {apart.auc}"

    return figure(
        scrolling("Discrepancy", _matrix(found.names, found.discrepancy, "wrong", ".2f", told)),
        "The discrepancy distance for linear classifiers: what one that tells two domains apart finds of the "
        "one, less what it takes for it of the other. At 0 none does better than chance, at 1 one makes no "
        "error, on held-out samples.",
    )


def _reweighting(found: Shift) -> Html:
    def told(a: str, b: str) -> str:
        way = found.ways[a, b]
        return f"{short(a, 40)} to {short(b, 40)}: {way.effective:,.0f} of {way.of:,}"

    return figure(
        scrolling("Reweighting", _matrix(found.names, found.effective, "right", ".0%", told)),
        "What share of a domain's samples (row) counts when they are weighed so that they resemble another "
        "(column): Kish's effective number over the number of samples.",
    )


def _matrix(
    names: Sequence[str],
    values: Sequence[Sequence[float]],
    shade: str,
    digits: str,
    told: Callable[[str, str], str],
) -> Html:
    columns = [tag("th", tag("span", name_of(name, 24)), scope="col", class_="flat") for name in names]
    rows = []
    for i, line in enumerate(values):
        cells = [
            tag("td", "–")
            if i == j
            else tag("td", f"{v:{digits}}", class_=_shade(shade, v), title=told(names[i], names[j]))
            for j, v in enumerate(line)
        ]
        rows.append(tag("tr", tag("th", name_of(names[i], 24), scope="row"), cells))
    top = tag("tr", tag("td", class_="corner"), columns)
    return tag("table", tag("thead", top), tag("tbody", rows), class_="heat")


def _shade(kind: str, value: float) -> str | None:
    """
    >>> _shade("wrong", 0.96), _shade("wrong", 0.0)
    ('wrong10', None)
    """
    step = min(SHADES, round(value * SHADES))
    return f"{kind}{step}" if step > 0 else None


def _pair(found: Shift, a: str, b: str) -> Content:
    pair = found.pair(a, b)
    ways = [(one, other, found.ways[one, other]) for one, other in ((a, b), (b, a))]
    return [
        tag("ul", [tag("li", short(sentence, 700)) for sentence in found.sentences(a, b)]),
        _differences(pair, a, b),
        [[tag("h3", "From ", name_of(s), " to ", name_of(t)), _way(found, s, t, way)] for s, t, way in ways],
    ]


def _differences(pair: Pair, a: str, b: str) -> Content:
    shown = pair.sure[:MOST_COLUMNS]
    if not shown:
        return None
    rows = [
        [
            head([name_of(d.noun, 40), f" {short(d.kind, 40)}" if d.kind is not None else None]),
            *(cell(_value(d, v), v) for v in (d.first, d.second)),
            cell(str(d.larger), d.larger.value),
        ]
        for d in shown
    ]
    titles = [column("what differs"), numbers(name_of(a, 24)), numbers(name_of(b, 24))]
    more = len(pair.sure) - len(shown)
    return [
        table("What differs", [*titles, numbers(["larger in ", name_of(b, 24)])], rows, class_="narrow"),
        tag(
            "p",
            "Medians and shares of both sides, and how often a sample of the second has more than one of the "
            "first, with its 95 % interval; those that are no chance by Holm's correction over all."
            + (f" {more:,} more are in the JSON." if more else ""),
            class_="note",
        ),
    ]


def _value(difference: Difference, value: float) -> str:
    return f"{value:{difference.words.digits}}" if difference.kind is None else f"{value:.0%}"


def _way(found: Shift, source: str, target: str, way: Way) -> Content:
    said = [s for s in found.directed(source, target) if way.bound is None or not s.startswith("The bound")]
    return [
        tag("ul", [tag("li", short(sentence, 700)) for sentence in said]),
        None if way.bound is None else _bound(way.bound, source, target),
    ]


def _bound(bound: Bound, source: str, target: str) -> Content:
    pieces: list[tuple[Content, object]] = [
        (["error on ", name_of(source, 24), ", held out"], bound.source),
        ("discrepancy of two linear classifiers", bound.disc),
        ("λ, the best classifier of both", bound.joint),
        ([tag("b", "the sum bounds the error on "), name_of(target, 24)], bound.total),
        (["measured on ", name_of(target, 24)], bound.target),
    ]
    rows = [[head(name), cell(str(interval), class_="number")] for name, interval in pieces]
    return [
        table("The bound", [column("piece"), numbers("estimate [95 %]")], rows, class_="narrow"),
        tag("p", "The sum is 1 or more, and says nothing: no error is above 1.", class_="note")
        if bound.vacuous
        else None,
    ]
