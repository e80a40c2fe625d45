"""The curves of the A-n-B experiment: as a figure, as a page, as a file of its own."""

import re
from datetime import date
from importlib.resources import files

from .. import __version__
from ..selection import Interval
from ..transferability import CURVES, Transferability, reading
from .blocks import cell, column, figure, head, numbers, table
from .document import document
from .figures import Scale, ticks
from .markup import Content, Html, tag

HEIGHT, TOP = 300, 30  # of the plot, and of the legend above it
WIDTH, LEFT = 720, 60  # of a file of its own
LEGEND = {
    "baseB": "baseB, from scratch",
    "BnB": "BnB, frozen",
    "BnB+": "BnB+, tuned",
    "AnB": "AnB, frozen",
    "AnB+": "AnB+, tuned",
}
TITLE = "How transferable the layers are"


def curves(found: Transferability) -> Html:
    """Test accuracy against the number of copied stages: four curves and baseB, with their bands."""
    columns = range(len(found.cuts))
    lines = {name: [found.accuracy(name, i) for i in columns] for name in CURVES}
    lines["baseB"] = [found.from_scratch] * len(found.cuts)
    x = Scale(found.cuts[0], max(found.cuts[-1], found.cuts[0] + 1))
    lowest = min(i.low for line in lines.values() for i in line)
    highest = max(i.high for line in lines.values() for i in line)
    low = max(0.0, lowest - 0.1 * max(highest - lowest, 0.05))
    high = min(1.0, highest + 0.1 * max(highest - lowest, 0.05))

    def y(share: float) -> float:
        return 100 * (high - share) / (high - low)

    def path(pairs: list[tuple[int, float]]) -> str:
        return "M" + "L".join(f"{x.percent(n):.4g} {y(share):.4g}" for n, share in pairs)

    bands, strokes, dots = [], [], []
    for name, line in lines.items():
        kind = _kind(name)
        around = [(n, i.high) for n, i in zip(found.cuts, line, strict=True)]
        around += reversed([(n, i.low) for n, i in zip(found.cuts, line, strict=True)])
        bands.append(tag("path", d=f"{path(around)}Z", class_=f"{kind} band"))
        values = [(n, i.value) for n, i in zip(found.cuts, line, strict=True)]
        strokes.append(tag("path", d=path(values), class_=kind))
        if name in CURVES:
            dots += [
                tag("circle", cx=x.at(n), cy=f"{TOP + y(v) * HEIGHT / 100:.4g}", r=4, class_=kind)
                for n, v in values
            ]
    plot = tag(
        "svg",
        [*bands, *strokes],
        viewBox="0 0 100 100",
        preserveAspectRatio="none",
        y=TOP,
        width="100%",
        height=HEIGHT,
    )
    marks = []
    for t in ticks(low, high):
        at = f"{TOP + y(t) * HEIGHT / 100:.4g}"
        marks.append(tag("line", x1=0, x2="100%", y1=at, y2=at, class_="grid"))
        marks.append(tag("text", f"{t:.3g}", x=-8, y=at, dy="0.35em", text_anchor="end"))
    for n in found.cuts:
        marks.append(tag("text", str(n), x=x.at(n), y=TOP + HEIGHT + 18, text_anchor="middle"))
    return tag(
        "svg",
        _legend(),
        marks,
        plot,
        dots,
        tag("text", "stages copied", x="50%", y=TOP + HEIGHT + 38, text_anchor="middle"),
        class_="curve transfer",
        height=TOP + HEIGHT + 46,
        overflow="visible",
        role="img",
        aria_label="; ".join(_told(name, line) for name, line in lines.items()),
    )


def page(found: Transferability) -> str:
    """The figure, its reading and its numbers, as one HTML file that asks for nothing from outside."""
    style = "".join(
        files(__package__).joinpath(name).read_text("utf-8") for name in ("style.css", "transferable.css")
    )
    rows = [
        [head(name), *(cell(str(i), i.value) for i in line), *[cell("")] * (len(CURVES) - len(line))]
        for name, line in found.lines.items()
    ]
    body: Content = [
        tag(
            "header",
            tag("p", f"Regraft {__version__} · {date.today():%d %B %Y}", class_="kicker"),
            tag("h1", TITLE),
            tag("p", found.setting, class_="subject"),
        ),
        tag(
            "main",
            figure(
                curves(found),
                "Test accuracy on B against the number of stages that are copied from a network trained on B "
                "or on A; the others start at random. Bands are 95 % intervals, each by itself.",
            ),
            tag("ul", [tag("li", sentence) for sentence in reading(found)]),
            table("The curves in numbers", [column("copied up to"), *map(numbers, CURVES)], rows),
        ),
    ]
    return document(TITLE, body, style)


def drawing(found: Transferability) -> str:
    """The figure as an SVG file of its own, for light and dark surroundings."""
    height = TOP + HEIGHT + 64
    inner = tag(
        "svg", curves(found), x=LEFT, y=12, width=WIDTH - LEFT - 20, height=height, overflow="visible"
    )
    paper = tag("rect", width="100%", height="100%", class_="paper")
    name = files(__package__).joinpath("transferable.css").read_text("utf-8")
    whole = tag(
        "svg",
        tag("title", TITLE),
        tag("style", Html(_with_colours(name))),
        tag("g", paper, inner, class_="transfer"),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height}",
        width=WIDTH,
        height=height,
    )
    return f"{whole}\n"


def _with_colours(rules: str) -> str:
    """The rules with the page's colours in place of their names, which few programs but browsers know."""
    page_style = files(__package__).joinpath("style.css").read_text("utf-8")
    light, dark = (
        dict(re.findall(r"--(\w+): (#\w+);", block))
        for block in re.findall(r":root \{(.*?)\}", page_style, re.DOTALL)[:2]
    )

    def in_colours(named: dict[str, str]) -> str:
        return re.sub(r"var\(--(\w+)\)", lambda found: named[found[1]], rules)

    return f"{in_colours(light)}@media (prefers-color-scheme: dark) {{\n{in_colours(dark)}}}\n"


def _kind(name: str) -> str:
    """The classes of a curve: whose layers it copies, and whether they learn along."""
    if name not in CURVES:
        return "scratch"
    from_a, tuned = CURVES[name]
    return ("A" if from_a else "B") + (" tuned" if tuned else "")


def _legend() -> list[Html]:
    """The names of the curves above the plot, each behind a piece of its line."""
    found = []
    for i, (name, told) in enumerate(LEGEND.items()):
        at = f"{100 * i / len(LEGEND):.4g}%"
        found.append(
            tag(
                "svg",
                tag("path", d="M0 8h18", class_=_kind(name)),
                tag("circle", cx=9, cy=8, r=4, class_=_kind(name)) if name in CURVES else None,
                tag("text", tag("title", told), name, x=22, y=8, dy="0.35em", class_="name"),
                x=at,
                y=0,
                width="20%",
                height=16,
                overflow="visible",
            )
        )
    return found


def _told(name: str, line: list[Interval]) -> str:
    return f"{LEGEND[name]}: from {line[0].value:.2f} to {line[-1].value:.2f}"
