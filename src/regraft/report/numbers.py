"""How close the numbers came."""

from ..output import Real
from ..selection import Study
from ..selection.scores import RealScores
from . import figures
from .blocks import cell, column, figure, head, name_of, numbers, table
from .markup import Content, Html, tag

MOST_POINTS = 2000  # of a figure


def estimates(study: Study) -> Content:
    """Every judged sample as a point, estimated against true, and the errors of each number in its unit."""
    scores, output = study.handed_over.scores, study.labelled.asked
    if not isinstance(scores, RealScores) or not isinstance(output, Real):
        return None
    return [
        _errors(scores),
        [_figure(scores, i) for i in range(output.width) if scores.known[:, i].any()],
    ]


def ranges(study: Study) -> Html | None:
    """Of each number how many are known, and from where to where they lie."""
    labelled = study.labelled
    if not isinstance(labelled.output, Real):
        return None
    rows = []
    for i, name in enumerate(labelled.output.names):
        y = labelled.labels[:, i]
        y = y if labelled.observed is None else y[labelled.observed[:, i]]
        ends = (y.min(), y.median(), y.max())
        unit = labelled.output.unit(i)
        rows.append(
            [
                head(name_of(name, 36)),
                cell(f"{len(y):,}", len(y)),
                *(cell(f"{float(end):.4g}{unit}", float(end)) for end in ends),
            ]
        )
    titles = [numbers(title) for title in ("known", "smallest", "median", "largest")]
    return table("Range of each number", [column("number"), *titles], rows, class_="narrow")


def _errors(scores: RealScores) -> Html:
    each, absolute, root = scores.of_each(), scores.absolute(), scores.root_mean_square()
    rows = [
        [
            head(name_of(name, 36)),
            cell(f"{each[name]:.2f}", each[name]),
            *(
                cell(f"{error.in_digits()}{scores.output.unit(i)}", error.value)
                for error in (absolute[name], root[name])
            ),
        ]
        for i, name in enumerate(scores.output.names)
        if name in absolute
    ]
    titles = [numbers("R²"), numbers("mean absolute error"), numbers("root mean square error")]
    return table("Errors of each number", [column("number"), *titles], rows, class_="narrow")


def _figure(scores: RealScores, i: int) -> Html:
    known = (scores.known[:, i] > 0).nonzero().squeeze(1)
    rows = known[:: max(1, -(-len(known) // MOST_POINTS))]
    true, said = scores.y[rows, i].tolist(), scores.predicted[rows, i].tolist()
    name, unit = scores.output.names[i], scores.output.unit(i)
    some = f" {len(rows):,} of {len(known):,} samples are shown." if len(rows) < len(known) else ""
    told = f"{name}: estimated against true, {len(rows)} samples"
    return figure(
        tag("div", figures.against(true, said, told), class_="canvas"),
        [
            name_of(name, 40),
            f"{unit}: estimated, held out (up), against true (right). On the line both are equal.{some}",
        ],
        class_="against",
    )
