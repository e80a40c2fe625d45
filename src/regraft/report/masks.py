"""How well the pixels of each class were found."""

from ..selection import Study
from ..selection.scores import MaskScores
from . import figures
from .blocks import cell, column, head, name_of, numbers, table
from .markup import Content


def found(study: Study) -> Content:
    """Of each class its share of the pixels, the share that was told, and how far the two overlap."""
    scores = study.handed_over.scores
    if not isinstance(scores, MaskScores):
        return None
    counts = scores.counts.sum((0, 1))
    asked, told = (counts.sum(side) / counts.sum() for side in (1, 0))
    rows = [
        [
            head(name_of(name, 36)),
            cell(f"{asked[i]:.1%}", float(asked[i])),
            cell(f"{told[i]:.1%}", float(told[i])),
            cell(figures.bar(0.0 if iou is None else iou.value, 1.0), class_="wide"),
            cell("not judged" if iou is None else str(iou), -1.0 if iou is None else iou.value),
        ]
        for i, (name, iou) in enumerate(scores.overlaps().items())
    ]
    titles = [numbers("of the pixels"), numbers("told"), column(""), numbers("IoU")]
    return table("How far each class overlaps", [column("class"), *titles], rows)
