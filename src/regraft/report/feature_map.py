"""A map of the features: what the model takes for alike lies close."""

import json

import torch

from ..selection import Study
from . import figures
from .blocks import counted, figure, name_of
from .markup import Content, Html, short, tag
from .pictures import COLUMNS, sheet, titles
from .plane import plane

MOST_POINTS = 5000
MOST_TILES = 2000  # thumbnails: half a kilobyte each
LONGEST = 80  # letters of a name


def feature_map(study: Study) -> Content:
    """Every judged sample where the model's features put it, by class; the wrong ones are ringed."""
    shown = {a.row: a for a in study.answers}  # of classes; others have no colours
    if len(shown) < 3:
        return None
    rows = _some(sorted(shown), {a.row for a in study.answers if not a.right})
    labelled, names = study.labelled, titles(study.labelled.x)
    points, how = plane(study.features.x[torch.tensor(rows)])
    places = figures.at_the_map([(float(a), float(b)) for a, b in points.tolist()])
    y = labelled.labels.tolist()
    classes, wrong = [y[row] for row in rows], [not shown[row].right for row in rows]
    pictured = (
        rows if len(rows) <= MOST_TILES else _some(rows, {r for r in rows if not shown[r].right}, MOST_TILES)
    )
    tile = {row: i for i, row in enumerate(pictured)}
    tiles = sheet(labelled.x, pictured)
    known = {name: i for i, name in enumerate(labelled.classes.names)}
    data = [
        [
            *place,
            short(names[row], LONGEST),
            y[row],
            known[shown[row].said],
            round(shown[row].probability, 2),
            tile.get(row, -1) if tiles else -1,
        ]
        for place, row in zip(places, rows, strict=True)
    ]
    classes_shown = sorted(set(classes))
    legend = [
        tag("li", figures.key(c), " ", name_of(labelled.classes.names[c], 40), data_class=c)
        for c in classes_shown
    ]
    told = (
        f"Map of {counted(len(rows), 'sample')} in {len(classes_shown)} classes, {sum(wrong)} ringed as wrong"
    )
    short_names = [short(name, LONGEST) for name in labelled.classes.names]
    return [
        figure(
            [
                tag("div", figures.scatter(places, classes, wrong, told), class_="canvas"),
                tag("ul", legend, class_="legend"),
            ],
            _caption(how, len(rows), len(shown), len(pictured) if tiles else 0, sum(wrong)),
            class_="mapped",
        ),
        tag("img", id="sheet", src=tiles, alt="", hidden=True) if tiles else None,
        embedded("map-data", {"points": data, "classes": short_names, "columns": COLUMNS}),
    ]


def embedded(name: str, data: object) -> Html:
    """Data for the script, which nothing in it can end.

    >>> "</script>" in embedded("d", ["</script><script>alert(1)</script>"])[:-9]
    False
    """
    text = json.dumps(data, separators=(",", ":"))  # in ASCII, so that no line ends but its own
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return tag("script", Html(text), type="application/json", id=name)


def _some(rows: list[int], first: set[int], most: int = MOST_POINTS) -> list[int]:
    """Not more than `most` of the rows: those to come first, then others drawn evenly.

    >>> _some([0, 1, 2, 3, 4, 5], {4}, 3)
    [0, 2, 4]
    """
    kept = [row for row in rows if row in first][:most]
    others = [row for row in rows if row not in first]
    room = min(most - len(kept), len(others))
    return sorted(kept + [others[i * len(others) // room] for i in range(room)])


def _caption(how: str, points: int, judged: int, pictured: int, wrong: int) -> str:
    told = [f"The features of the model handed over, by {how}."]
    if points < judged:
        told.append(f"{points:,} of {judged:,} samples are shown.")
    if wrong:
        told.append(f"A ring marks what was taken for another class when it was held out ({wrong:,}).")
    if 0 < pictured < points:
        told.append(f"{pictured:,} of them have a thumbnail.")
    return " ".join(told)
