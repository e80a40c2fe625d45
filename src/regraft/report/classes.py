"""How each class fared, and what it was taken for."""

from jaxtyping import Int
from torch import Tensor

from ..selection import Study
from ..selection.scores import LISTED, ClassScores
from . import figures
from .blocks import cell, column, counted, figure, head, name_of, numbers, scrolling, table
from .markup import Content, Html, short, tag

SHADES = 10  # of the heat map
ACROSS = 4  # classes up to which their names above the heat map lie flat
PAIRS = 20  # of classes taken for one another, where there are too many for a heat map


def recalls(study: Study) -> Content:
    """The recall of every class with its interval, and what it was most often taken for."""
    scores = study.handed_over.scores
    if not isinstance(scores, ClassScores):
        return None
    confusion, found = scores.confusion(), scores.recalls()
    on_test = study.test.recalls() if isinstance(study.test, ClassScores) else {}
    known = [i for i in found.values() if i is not None]
    scale = figures.scale_for(known)
    rows = []
    for c, (name, recall) in enumerate(found.items()):
        wrong = confusion[c].clone()
        wrong[c] = 0
        most, times = int(wrong.argmax()), int(wrong.max())
        row = [
            head(name_of(name, 36)),
            cell(f"{int(confusion[c].sum()):,}", int(confusion[c].sum())),
            cell(None if recall is None else figures.dot(recall, scale, "kept"), class_="wide"),
            cell("not judged", -1) if recall is None else cell(str(recall), recall.value),
            cell([name_of(scores.names[most], 24), f" ({times})"] if times else None, str(times)),
        ]
        if on_test:
            tested = on_test[name]
            row.append(cell("none", -1) if tested is None else cell(str(tested), tested.value))
        rows.append(row)
    header = [
        column("class"),
        numbers("judged"),
        column(figures.axis(scale)),
        numbers("recall"),
        column("most often taken for"),
    ]
    return [
        table("Recall of each class", [*header, *([numbers("recall on test")] if on_test else [])], rows),
        tag(
            "p",
            "Recall is the share of a class's samples that were recognised, held out, by ",
            name_of(study.handed_over.candidate.name),
            "; 95 % intervals.",
            class_="note",
        ),
    ]


def confusion(study: Study) -> Content:
    """Which class was taken for which."""
    scores = study.handed_over.scores
    if not isinstance(scores, ClassScores):
        return None
    counts, names = scores.confusion(), scores.names
    if len(names) > LISTED:
        return _pairs(counts, names)
    caption = (
        "Each row is a class, each column what it was taken for; a cell's shade is its share of the row. "
        "On the diagonal is what was right."
    )
    return figure(scrolling("Confusion of the classes", _heat_map(counts, names)), caption)


def _heat_map(counts: Int[Tensor, "k k"], names: tuple[str, ...]) -> Html:
    flat = len(names) <= ACROSS
    # the numbers tell apart what is equal once it is shortened
    called = [[None if flat else f"{i} ", name_of(name, 24)] for i, name in enumerate(names, 1)]
    across = "flat" if flat else "upright"
    columns = [tag("th", tag("span", name), scope="col", class_=across) for name in called]
    rows = []
    for i, line in enumerate(counts.tolist()):
        total = max(sum(line), 1)
        cells = [
            tag(
                "td",
                f"{n:,}" if n else None,
                class_=f"{'right' if i == j else 'wrong'}{_shade(n / total)}" if n else None,
                title=f"{short(names[i], 40)} taken for {short(names[j], 40)}: {n}" if n else None,
            )
            for j, n in enumerate(line)
        ]
        rows.append(tag("tr", tag("th", called[i], scope="row"), cells))
    head_row = tag("tr", tag("td", "is ↓ taken for →", class_="corner"), columns)
    return tag("table", tag("thead", head_row), tag("tbody", rows), class_="heat")


def _shade(share: float) -> int:
    """Never none for what is there.

    >>> _shade(0.001), _shade(1.0)
    (1, 10)
    """
    return max(1, round(share * SHADES))


def _pairs(counts: Int[Tensor, "k k"], names: tuple[str, ...]) -> Content:
    wrong = counts.clone().fill_diagonal_(0)
    n, at = wrong.flatten().sort(descending=True, stable=True)
    found = [(divmod(int(i), len(names)), int(times)) for times, i in zip(n, at, strict=True) if times][
        :PAIRS
    ]
    rows = [
        [head(name_of(names[i])), cell(name_of(names[j])), cell(f"{times:,}", times)]
        for (i, j), times in found
    ]
    return [
        tag("p", f"The {counted(len(rows), 'pair')} that were most often taken for one another."),
        table(
            "Classes taken for one another", [column("class"), column("taken for"), numbers("samples")], rows
        ),
    ]
