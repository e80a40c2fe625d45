"""What came out: the verdict, the candidates, the expected score, the learning curve."""

from ..output.metrics import title
from ..selection import Interval, Study
from ..selection.curve import TOO_FEW
from ..selection.estimate import NAME
from ..selection.scores import ClassScores, Scores
from ..selection.verdict import Verdict
from ..text import seconds_text
from . import figures
from .blocks import cell, column, figure, head, name_of, numbers, table
from .markup import Content, Html, tag


def in_short(study: Study) -> Html:
    """The page in three lines."""
    kept = study.handed_over.candidate
    standing = f", {study.standing}" if study.standing else ""
    return tag(
        "div",
        tag("p", study.sentence(), class_="verdict"),
        tag("p", "Handed over: ", tag("b", name_of(kept.name)), f"{standing}, refitted on all labels."),
        tag(
            "p",
            "Expected on new samples: ",
            tag("b", f"{study.expected.value:.2f}"),
            f" of {_metric(study)}, between {study.expected.low:.2f} and {study.expected.high:.2f}.",
        ),
        class_="short",
    )


def verdict(study: Study) -> Content:
    """Whether borrowing helped, and whether changing what is borrowed did."""
    found = [tag("p", study.sentence())]
    if study.transfer is not None:
        found.append(_gain(study.transfer, "What borrows, less what borrows nothing"))
    if study.pool is not None:
        found.append(_gain(study.pool, "With samples without labels, less the labels alone"))
    if study.tuning is not None:
        found.append(tag("p", f"Changing the network: {study.tuning}."))
        found.append(_gain(study.tuning, "The changed network, less its own unchanged features"))
    return found


def candidates(study: Study) -> Content:
    """Every row of the table, best first, with its intervals."""
    ordered = sorted(study.results, key=lambda r: -r.scores.value(study.metric))
    intervals = [r.scores.interval(study.metric) for r in ordered]
    scale = figures.scale_for(intervals)
    others = [title(metric) for metric in study.labelled.asked.metrics if metric != study.metric]
    rows = []
    for r, interval in zip(ordered, intervals, strict=True):
        kept = r is study.handed_over
        kind = ("kept" if kept else "") + ("" if r.candidate.borrows else " plain")
        rows.append(
            [
                head([tag("span", "▸ ", title="handed over") if kept else None, name_of(r.candidate.name)]),
                cell(figures.dot(interval, scale, kind), class_="wide"),
                cell(str(interval), interval.value),
                *_other_columns(r.scores, study.metric),
                cell(f"{r.scores.loss:.2f}", r.scores.loss),
                cell(seconds_text(r.seconds), r.seconds),
            ]
        )
    header = [
        column("candidate"),
        column(figures.axis(scale)),
        numbers(_metric(study)),
        *map(numbers, others),
        *([column("worst recall")] if isinstance(study.handed_over.scores, ClassScores) else []),
        numbers(study.labelled.asked.loss_name),
        numbers("seconds"),
    ]
    return [
        table("Candidates, best first", header, rows),
        tag(
            "p",
            f"95 % intervals, by {study.judge}. Blue rows borrow, grey ones do not. "
            "▸ was handed over. Best score: ",
            name_of(study.winner.candidate.name),
            ", and the best of many looks better than it is.",
            class_="note",
        ),
    ]


def _other_columns(scores: Scores, metric: str) -> list[Html]:
    """The metrics that the choice was not made by, and the worst of the classes."""
    others = [scores.value(other) for other in scores.metrics if other != metric]
    cells = [cell(f"{value:.2f}", value) for value in others]
    if isinstance(scores, ClassScores):
        recalls = {name: i.value for name, i in scores.recalls().items() if i is not None}
        worst = min(recalls, key=lambda name: recalls[name])
        cells.append(cell([f"{recalls[worst]:.2f} ", name_of(worst, 18)], recalls[worst], class_="left"))
    return cells


def expected(study: Study) -> Content:
    """What to expect on new samples, next to the numbers that it is made from."""
    own = study.handed_over.scores.interval(study.metric)
    told = [("Expected on new samples", study.expected, "kept"), ("In the table", own, "")]
    if study.nested is not None:
        told.insert(1, ("By nested cross-validation", study.nested, ""))
    if study.test is not None:
        told.append((f"On {len(study.test):,} test samples", study.test.interval(study.metric), ""))
    scale = figures.scale_for([i for _, i, _ in told])
    rows = [
        [head(name), cell(figures.dot(i, scale, kind), class_="wide"), cell(str(i), i.value)]
        for name, i, kind in told
    ]
    return [
        table(
            "Expected score",
            [column(""), column(figures.axis(scale)), numbers(_metric(study))],
            rows,
            class_="narrow",
        ),
        tag(
            "p",
            f"The expected score is found by {NAME}: the score in the table, less what it owes to the row's "
            "having been picked as the best of several.",
            class_="note",
        ),
    ]


def learning_curve(study: Study) -> Content:
    """The score with fewer labels, and what more of them would likely bring."""
    curve = study.curve
    if curve is None or len(curve.points) < 2:
        return None
    points: list[tuple[int, Interval]] = [(p.samples, p.score) for p in curve.points]
    last, ahead, more = points[-1], None, f"{TOO_FEW.capitalize()}."
    coming = curve.next
    if coming is not None:
        ahead = (coming.samples, coming.score)
        more = f"The next {coming.labels} labels would likely bring {coming.gain.points()}."
    told = f"{_metric(study)} from {points[0][1]} with {points[0][0]} labels to {last[1]} with {last[0]}"
    return [
        figure(
            figures.curve(points, ahead, told),
            [f"{_metric(study)} against the number of labels, with 95 % intervals. ".capitalize(), more],
        ),
        table(
            "The learning curve in numbers",
            [numbers("labels"), numbers(_metric(study))],
            [[cell(f"{n:,}", n), cell(str(i), i.value)] for n, i in points],
            class_="narrow",
        ),
    ]


def _gain(found: Verdict, what: str) -> Html:
    return figure(
        figures.gain(found.gain, str(found)),
        f"{what}, on the same held-out samples. Each bound is for 93 %: it helps if the lower one is "
        "above zero, and hurts if the upper one is below.",
    )


def _metric(study: Study) -> str:
    return title(study.metric)
