"""What predictions are worth: one place for every score, whoever predicted."""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ...domain import Domain
from ...errors import InputError, near
from ...output import Output
from .classes import LISTED, ClassScores
from .mask import MaskScores
from .multi_label import LabelScores
from .real import RealScores
from .scores import Scores

__all__ = [
    "LISTED",
    "SCORES",
    "ClassScores",
    "LabelScores",
    "MaskScores",
    "RealScores",
    "Scores",
    "evaluate",
    "metric_named",
    "scores_of",
]

SCORES: dict[str, type[Scores]] = {
    scores.kind: scores for scores in (ClassScores, RealScores, LabelScores, MaskScores)
}


def metric_named(name: str | None, output: Output) -> str:
    """The metric of that name that the output has; without a name its usual one.

    >>> from regraft.output import Classes
    >>> birds = Classes(("crow", "owl"))
    >>> metric_named("balanced-accuracy", birds), metric_named(None, birds)
    ('balanced_accuracy', 'accuracy')
    """
    if name is None:
        return output.metrics[0]
    known = name.lower().replace("-", "_").replace(" ", "_")
    if known not in output.metrics:
        raise InputError(
            f"metric {name!r} is unknown{near(known, list(output.metrics))}; for {output.describe()} "
            f"there are {', '.join(output.metrics)}"
        )
    return known


def scores_of(
    expected: Float[Tensor, "r n k"],
    labelled: Domain,
    judged: Bool[Tensor, " n"] | None = None,
    overlap: float = 0.0,
) -> Scores:
    """The scores of r repeats of predictions (`Output.expected`) of labelled samples.

    judged: which samples count, all if it is not given. overlap: 0 if one model predicted all, and for folds
    the size of one over that of the rest (see `intervals.share`).
    """
    if judged is None:
        judged = torch.ones(len(labelled), dtype=torch.bool)
    return SCORES[labelled.asked.kind].of(expected[:, judged], labelled[judged], overlap)


def evaluate(model: Any, labelled: Domain) -> Scores:
    """The scores of a fitted model on labelled samples that it has not seen; names are matched by name."""
    known = model.output.matched(labelled.asked, labelled.labels, labelled.observed)
    asked = labelled.with_(y=known[0], observed=known[1], output=model.output)
    return scores_of(model.expected(labelled)[None], asked)
