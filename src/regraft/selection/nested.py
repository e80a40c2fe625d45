"""What the whole procedure scores, choice included, by repeating it without each fold."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from ..errors import InputError
from ..folds import Rows, complement
from .choice import Result, handed_over
from .entries import Entry
from .judges import CrossValidation
from .judging import judged
from .scores import Scores, scores_of

NAME = "nested cross-validation"


def nested(
    entries: Sequence[Entry],
    folds: Sequence[Rows],
    judge: CrossValidation,
    rest: Result,
    metric: str,
    rule: str,
    alike: bool = False,
) -> Scores | None:
    """The scores of every fold by what would have been handed over without it; None for too few samples.

    For each fold all candidates are judged by folds of the other samples, the choice is made among them by
    the same rule, what it hands over is fitted to the other samples, and the fold tells how good that is. So
    no sample that tells has had a say in what it tells of. It costs about as many comparisons as there are
    folds, and each is of a choice from fewer samples.

    rest: a row of the whole comparison, which knows the samples that count, their classes and groups.
    Stone, Journal of the Royal Statistical Society B 1974; Varma & Simon, BMC Bioinformatics 2006.
    """
    labelled = entries[0].labelled
    logits = torch.zeros(1, len(labelled), labelled.asked.width, dtype=torch.float64)
    for rows in folds:
        others = complement(rows, len(labelled))
        try:
            inner = {trained: judge.splits(labelled[others], trained) for trained in (False, True)}
        except InputError:
            return None
        within = [replace(entry, seen=entry.seen.restricted(others)) for entry in entries]
        results = [judged(entry, inner[entry.candidate.trained]) for entry in within]
        kept = handed_over(results, metric, rule, alike).kept
        chosen = next(entry for entry, result in zip(entries, results, strict=True) if result is kept)
        method = chosen.candidate.method
        [model] = method.fit_without([rows], chosen.seen, chosen.suffix, chosen.training)
        logits[0, rows] = model.logits(chosen.labelled.x[rows])
    return scores_of(labelled.asked.expected(logits), labelled, rest.judged, rest.scores.overlap)
