"""One function a figure: plain numbers in, SVG out.

Lengths along x are percentages, so that a figure is as wide as its place and its letters keep their size.
Colours are classes of `style.css`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..intervals import Interval
from .markup import Html, tag

WIDTH, HEIGHT, MARGIN = 640, 440, 14  # of the map
COLOURS, SHAPES = 8, 4  # which tell apart 32 classes; after that they come again
CURVE_HEIGHT = 200
SQUARE = 400  # of one number against another


@dataclass(frozen=True)
class Scale:
    """Numbers from low to high as percentages of a width, with a margin for what is centred on an end.

    >>> Scale(0, 2, margin=0).at(1), Scale(0, 2, margin=5).at(0)
    ('50%', '5%')
    """

    low: float
    high: float
    margin: float = 4.0

    def percent(self, value: float) -> float:
        within = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        return self.margin + within * (100 - 2 * self.margin)

    def at(self, value: float) -> str:
        return f"{self.percent(value):.4g}%"


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """At most so many round numbers from low to high, at equal distances of 1, 2 or 5 times a power of ten.

    >>> ticks(0.43, 1.0), ticks(-0.2, 0.3, 4)
    ([0.6, 0.8, 1.0], [-0.2, 0.0, 0.2])
    """
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 5, 10):
        first, last = math.ceil(low / (factor * step) - 1e-9), math.floor(high / (factor * step) + 1e-9)
        if last - first < most:
            return [round(i * factor * step, 12) + 0.0 for i in range(first, last + 1)]
    return []


def scale_for(intervals: Sequence[Interval]) -> Scale:
    """The scale of shares on which all of these intervals lie, up to 1.

    >>> scale_for([Interval(0.8, 0.71, 0.87)])
    Scale(low=0.7, high=1.0, margin=4.0)
    """
    lowest = min((i.low for i in intervals), default=0.0)
    return Scale(min(0.9, math.floor(lowest * 10 + 1e-9) / 10), 1.0)


def axis(scale: Scale) -> Html:
    """The numbers above a column of `dot`."""
    marks = [
        tag("text", f"{t:.2g}", x=scale.at(t), y=12, text_anchor="middle")
        for t in ticks(scale.low, scale.high, 4)
    ]
    return tag("svg", marks, class_="axis", height=16, aria_hidden="true")


def dot(interval: Interval, scale: Scale, kind: str = "") -> Html:
    """An interval as a line with a dot; its numbers stand beside it, so it is silent to screen readers.

    kind: "kept" for what was handed over, "plain" for what borrows nothing, or both.
    """
    grid = [
        tag("line", x1=scale.at(t), x2=scale.at(t), y1=0, y2=22, class_="grid")
        for t in ticks(scale.low, scale.high, 4)
    ]
    line = tag("line", x1=scale.at(interval.low), x2=scale.at(interval.high), y1=11, y2=11, class_="range")
    point = tag("circle", cx=scale.at(interval.value), cy=11, r=4.5, class_="dot")
    return tag("svg", grid, line, point, class_=f"interval {kind}".rstrip(), height=22, aria_hidden="true")


def bar(value: float, most: float) -> Html:
    """A number as the length of a bar."""
    width = f"{100 * value / most if most else 0:.3g}%"
    return tag("svg", tag("rect", width=width, height=10), class_="bar", height=10, aria_hidden="true")


def gain(found: Interval, told: str) -> Html:
    """A paired gain and its bounds around zero, in points. told: what it is, for who cannot see it."""
    reach = max(abs(found.low), abs(found.high), 0.02) * 1.1
    scale = Scale(-reach, reach, margin=5)
    outcome = "helps" if found.low > 0 else "hurts" if found.high < 0 else "unproven"
    middle = scale.percent(found.value)
    anchor = "start" if middle < 20 else "end" if middle > 80 else "middle"
    marks = []
    for t in ticks(-reach, reach):
        x = scale.at(t)
        marks.append(tag("line", x1=x, x2=x, y1=42, y2=66, class_="grid" if t else "zero"))
        label = f"{100 * t:+.3g}".replace("-", "−") if t else "0"
        marks.append(tag("text", label, x=x, y=82, text_anchor="middle"))
    return tag(
        "svg",
        tag("text", "← hurts", x="0%", y=12, class_="side"),
        tag("text", "helps →", x="100%", y=12, text_anchor="end", class_="side"),
        marks,
        tag("line", x1=scale.at(found.low), x2=scale.at(found.high), y1=54, y2=54, class_="range"),
        tag("circle", cx=f"{middle:.4g}%", cy=54, r=6, class_="dot"),
        tag(
            "text",
            f"{100 * found.value:+.1f} points".replace("-", "−"),
            x=f"{middle:.4g}%",
            y=34,
            text_anchor=anchor,
            class_="value",
        ),
        class_=f"gain {outcome}",
        height=90,
        role="img",
        aria_label=told,
    )


def curve(points: Sequence[tuple[int, Interval]], ahead: tuple[int, Interval] | None, told: str) -> Html:
    """A score against the number of labels, with its band; `ahead`: what is expected of more of them."""
    ends = [*points, ahead] if ahead else list(points)
    x = Scale(0, max(n for n, _ in ends), margin=0)
    lowest, highest = min(i.low for _, i in ends), max(i.high for _, i in ends)
    spread = max(highest - lowest, 0.05)
    low, high = max(0.0, lowest - 0.1 * spread), min(1.0, highest + 0.1 * spread)

    def y(share: float) -> float:
        return 100 * (high - share) / (high - low)

    def path(pairs: Sequence[tuple[int, float]]) -> str:
        return "M" + "L".join(f"{x.percent(n):.4g} {y(share):.4g}" for n, share in pairs)

    band = path([(n, i.high) for n, i in points] + [(n, i.low) for n, i in reversed(points)]) + "Z"
    shapes = [
        tag("path", d=band, class_="band"),
        tag("path", d=path([(n, i.value) for n, i in points]), class_="line"),
    ]
    if ahead:
        from_here = path([(points[-1][0], points[-1][1].value), (ahead[0], ahead[1].value)])
        shapes.append(tag("path", d=from_here, class_="line ahead"))
    plot = tag("svg", shapes, viewBox="0 0 100 100", preserveAspectRatio="none", height=CURVE_HEIGHT)

    def down(share: float) -> str:
        return f"{y(share) * CURVE_HEIGHT / 100:.4g}"

    marks = []
    for t in ticks(low, high):
        marks.append(tag("line", x1=0, x2="100%", y1=down(t), y2=down(t), class_="grid"))
        marks.append(tag("text", f"{t:.3g}", x=-8, y=down(t), dy="0.35em", text_anchor="end"))
    for n in ticks(0, x.high):
        anchor = "start" if n == 0 else "end" if x.percent(n) > 95 else "middle"
        marks.append(tag("text", f"{n:g}", x=x.at(n), y=CURVE_HEIGHT + 18, text_anchor=anchor))
    dots = [tag("circle", cx=x.at(n), cy=down(i.value), r=4, class_="dot") for n, i in points]
    if ahead:
        n, i = ahead
        dots.append(tag("line", x1=x.at(n), x2=x.at(n), y1=down(i.low), y2=down(i.high), class_="range"))
        dots.append(tag("circle", cx=x.at(n), cy=down(i.value), r=4, class_="dot ahead"))
    return tag(
        "svg", marks, plot, dots, class_="curve", height=CURVE_HEIGHT + 26, role="img", aria_label=told
    )


def at_the_map(plane: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points of a plane, in units that are equal along both axes, as places on the map.

    >>> at_the_map([(0.0, 0.0), (1.0, 1.0)])
    [(114.0, 426.0), (526.0, 14.0)]
    """
    xs, ys = [x for x, _ in plane], [y for _, y in plane]
    spans = max(max(xs) - min(xs), 1e-12), max(max(ys) - min(ys), 1e-12)
    unit = min((WIDTH - 2 * MARGIN) / spans[0], (HEIGHT - 2 * MARGIN) / spans[1])
    middle = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    return [
        (
            round(WIDTH / 2 + unit * (x - middle[0]), 1),
            round(HEIGHT / 2 - unit * (y - middle[1]), 1),
        )
        for x, y in plane
    ]


def scatter(
    places: Sequence[tuple[float, float]], classes: Sequence[int], wrong: Sequence[bool], told: str
) -> Html:
    """Every place in the colour and shape of its class, with a ring around those that are `wrong`."""
    groups = []
    for c in sorted(set(classes)):
        shape = _SHAPES[c // COLOURS % SHAPES]
        d = "".join(f"M{x:g} {y:g}{shape}" for (x, y), here in zip(places, classes, strict=True) if here == c)
        groups.append(tag("path", d=d, class_=f"c{c % COLOURS}", data_class=c))
    ring = "m-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0"
    rings = "".join(f"M{x:g} {y:g}{ring}" for (x, y), w in zip(places, wrong, strict=True) if w)
    if rings:
        groups.append(tag("path", d=rings, class_="ring"))
    return tag("svg", groups, class_="map", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=told)


def against(true: Sequence[float], said: Sequence[float], told: str) -> Html:
    """One number against another on equal scales, with the line on which they are equal."""
    low, high = min(*true, *said), max(*true, *said)
    spread = (high - low) or 1.0
    scale = Scale(low - 0.02 * spread, high + 0.02 * spread, margin=0)

    def at(value: float) -> float:
        return round(scale.percent(value) / 100 * SQUARE, 1)

    marks = []
    for t in ticks(scale.low, scale.high):
        x, y = at(t), round(SQUARE - at(t), 1)
        marks.append(tag("line", x1=x, x2=x, y1=0, y2=SQUARE, class_="grid"))
        marks.append(tag("line", x1=0, x2=SQUARE, y1=y, y2=y, class_="grid"))
        marks.append(tag("text", f"{t:.4g}", x=x, y=SQUARE + 16, text_anchor="middle"))
        marks.append(tag("text", f"{t:.4g}", x=-6, y=y, dy="0.35em", text_anchor="end"))
    dot = "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z"
    points = "".join(f"M{at(x):g} {SQUARE - at(y):g}{dot}" for x, y in zip(true, said, strict=True))
    equal = tag("line", x1=0, y1=SQUARE, x2=SQUARE, y2=0, class_="zero")
    box = f"-60 -8 {SQUARE + 80} {SQUARE + 32}"
    shapes = [marks, equal, tag("path", d=points, class_="c0")]
    return tag("svg", shapes, viewBox=box, role="img", aria_label=told)


def key(c: int) -> Html:
    """The mark of a class on the map, for its legend."""
    shape = tag("path", d=f"M7 7{_SHAPES[c // COLOURS % SHAPES]}", class_=f"c{c % COLOURS}")
    return tag("svg", shape, class_="key", viewBox="0 0 14 14", width=14, height=14, aria_hidden="true")


_SHAPES = (
    "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",  # disc
    "m-3.5-3.5h7v7h-7z",  # square
    "m0-5l4.6 8h-9.2z",  # triangle
    "m0-5l5 5l-5 5l-5-5z",  # diamond
)
