"""How well each of several labels was found."""

from ..output import MultiLabel
from ..selection import Study
from ..selection.scores import LabelScores
from . import figures
from .blocks import cell, column, head, name_of, numbers, table
from .markup import Content, Html


def found(study: Study) -> Content:
    """Of each label how often it applies, how often it was told, and how much of both agrees."""
    scores = study.handed_over.scores
    if not isinstance(scores, LabelScores):
        return None
    each, told = scores.of_each(), scores.predicted * scores.known
    applies = (scores.y * scores.known).sum(0).int().tolist()
    both = (told * scores.y).sum(0).int().tolist()
    rows = [
        [
            head(name_of(name, 36)),
            cell(f"{applies[i]:,}", applies[i]),
            cell(f"{int(told[:, i].sum()):,}", int(told[:, i].sum())),
            cell(f"{both[i]:,}", both[i]),
            cell(figures.bar(0.0 if f1 != f1 else f1, 1.0), class_="wide"),
            cell("none" if f1 != f1 else f"{f1:.2f}", -1.0 if f1 != f1 else f1),
        ]
        for i, (name, f1) in enumerate(each.items())
    ]
    titles = [numbers("applies"), numbers("told"), numbers("both"), column(""), numbers("F1")]
    return table("How well each label was found", [column("label"), *titles], rows)


def counts(study: Study) -> Html | None:
    """Of each label how many samples are known to have it, and not to have it."""
    labelled = study.labelled
    if not isinstance(labelled.output, MultiLabel):
        return None
    y = labelled.labels
    unknown = [0] * len(y.T) if labelled.observed is None else (~labelled.observed).sum(0).tolist()
    applies = y.sum(0).int().tolist()
    rows = [
        [
            head(name_of(name, 36)),
            cell(f"{n:,}", n),
            cell(f"{len(y) - n - without:,}", len(y) - n - without),
            cell(f"{without:,}", without),
            cell(figures.bar(n, max(*applies, 1)), class_="wide"),
        ]
        for name, n, without in zip(labelled.output.names, applies, unknown, strict=True)
    ]
    titles = [numbers("applies"), numbers("does not"), numbers("unknown"), column("")]
    return table("Labels", [column("label"), *titles], rows, class_="narrow")
