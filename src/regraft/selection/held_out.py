"""What fits without a sample say of it, and which samples are the hardest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..domain import Domain
from ..output import Classes
from ..samples import sample_names
from .choice import Result
from .scores import LabelScores, RealScores


@dataclass(frozen=True)
class HeldOutAnswer:
    """The held-out answer to one sample.

    row: its position among the labelled samples. said: the class with the largest probability, the mean over
    the repeats of the folds. probability: of `said`. chance: of the sample's own label.
    """

    row: int
    name: str
    label: str
    said: str
    probability: float
    chance: float

    @property
    def right(self) -> bool:
        return self.said == self.label

    def to_json(self) -> dict[str, Any]:
        return {
            "sample": self.name,
            "row": self.row,
            "label": self.label,
            "said": self.said,
            "probability": round(self.probability, 6),
            "of_label": round(self.chance, 6),
        }


@dataclass(frozen=True)
class HeldOutEstimate:
    """The held-out answer to one sample where it may be more or less wrong: numbers, or several labels.

    label, said: what it is and what was said, as `Output.decode` has it. off: how wrong that is, in standard
    deviations of the number (the root of their mean square where there are several), or as the log loss.
    """

    row: int
    name: str
    label: Any
    said: Any
    off: float

    def to_json(self) -> dict[str, Any]:
        return {
            "sample": self.name,
            "row": self.row,
            "label": self.label,
            "said": self.said,
            "off": round(self.off, 6),
        }


def held_out_estimates(labelled: Domain, result: Result) -> list[HeldOutEstimate]:
    """The answer to every sample that was judged, in the order of the samples; none for classes."""
    scores = result.scores
    if not isinstance(scores, RealScores | LabelScores):
        return []
    names, rows = sample_names(labelled.x), result.judged.nonzero().flatten().tolist()
    output = labelled.asked
    told = zip(
        rows, output.decode(scores.y), output.decode(scores.predicted), scores.off().tolist(), strict=True
    )
    return [HeldOutEstimate(i, names[i], label, said, off) for i, label, said, off in told]


def most_off(given: Sequence[HeldOutEstimate], most: int) -> list[HeldOutEstimate]:
    """The most wrong of them, the worst first.

    >>> near, far = HeldOutEstimate(0, "0", 1.0, 1.1, 0.1), HeldOutEstimate(1, "1", 1.0, 3.0, 2.0)
    >>> [a.name for a in most_off([near, far], 1)]
    ['1']
    """
    return sorted(given, key=lambda a: -a.off)[:most]


def held_out_answers(labelled: Domain, result: Result) -> list[HeldOutAnswer]:
    """The answer to every sample that was judged, in the order of the samples; none but for classes."""
    if not isinstance(labelled.output, Classes):
        return []
    names, classes, y = sample_names(labelled.x), labelled.classes.names, labelled.labels.tolist()
    p = result.expected
    said, chances = p.argmax(1).tolist(), p.tolist()
    return [
        HeldOutAnswer(i, names[i], classes[y[i]], classes[said[i]], chances[i][said[i]], chances[i][y[i]])
        for i in result.judged.nonzero().flatten().tolist()
    ]


def most_wrong(given: Sequence[HeldOutAnswer], most: int) -> list[HeldOutAnswer]:
    """The wrong answers that leave their label the least, first the worst.

    >>> sure = HeldOutAnswer(0, "0", "owl", "crow", 0.9, 0.1)
    >>> unsure = HeldOutAnswer(1, "1", "owl", "crow", 0.6, 0.4)
    >>> [a.name for a in most_wrong([unsure, sure], 5)]
    ['0', '1']
    """
    return sorted((a for a in given if not a.right), key=lambda a: a.chance)[:most]


def most_uncertain(given: Sequence[HeldOutAnswer], most: int) -> list[HeldOutAnswer]:
    """The answers, right or wrong, whose own probability is the smallest.

    >>> sure = HeldOutAnswer(0, "0", "owl", "owl", 0.9, 0.9)
    >>> unsure = HeldOutAnswer(1, "1", "owl", "crow", 0.5, 0.5)
    >>> [a.name for a in most_uncertain([sure, unsure], 1)]
    ['1']
    """
    return sorted(given, key=lambda a: a.probability)[:most]
