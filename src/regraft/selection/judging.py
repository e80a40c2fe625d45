"""What the judge says of one candidate: every fold is predicted by a fit without it."""

import time
from dataclasses import replace

import torch
from jaxtyping import Bool
from torch import Tensor

from ..backbone import Backbone
from ..candidates import Candidate
from ..domain import Domain
from ..features import Store
from ..folds import Rows, complement, judgeable
from ..methods.features.probe import probe_of
from ..pooling import of_classes
from ..problem import Problem
from ..progress import Silent
from ..training import Training
from .choice import Result
from .entries import Entry
from .judges import CrossValidation
from .racing import Race
from .scores import scores_of


def judged(
    entry: Entry,
    splits: list[list[Rows]],
    everywhere: Bool[Tensor, " n"] | None = None,
    race: Race | None = None,
) -> Result:
    """The candidate's row.

    splits: the held-out rows of every fold of every repeat. everywhere: the samples that count; without it,
    those of `judgeable_in_all`. race: what the candidate has to keep up with; without it, it is judged to the
    end. Raises GivenUp where it does not keep up.
    """
    candidate, labelled, training = entry.candidate, entry.labelled, entry.training
    if everywhere is None:
        everywhere = judgeable_in_all(labelled, splits)
    if not candidate.trained:
        training = replace(training, progress=Silent())  # over before a bar could show
    beside = labelled.labels[:0]
    if "source" in entry.seen.domains:  # whose classes it knows as well
        beside = of_classes(entry.seen.domains["source"], labelled.classes).labels
    start = time.perf_counter()
    logits: Tensor | None = None
    folds = [(repeat, rows) for repeat, held_out in enumerate(splits) for rows in held_out]
    done: list[Rows] = []
    with entry.training.progress.track(candidate.name, len(folds)) as task:
        held_out = [rows for _, rows in folds]
        models = candidate.method.fit_without(held_out, entry.seen, entry.suffix, training)
        for (repeat, rows), model in zip(folds, models, strict=True):
            learned = torch.cat([labelled.labels[complement(rows, len(labelled))], beside])
            said = labelled.asked.silenced(model.logits(labelled.x[rows]), learned)
            if logits is None:
                logits = said.new_zeros(len(splits), len(labelled), *said.shape[1:])
            logits[repeat, rows] = said
            task.advance()
            done.append(rows)
            if race is not None and repeat == 0:
                race.check(logits[0], done, len(splits[0]), labelled, everywhere)
    assert logits is not None
    overlap = 1 / (len(splits[0]) - 1) if len(splits[0]) > 1 else 1.0
    expected = labelled.asked.expected(logits)
    scores = scores_of(expected, labelled, everywhere, overlap)
    return Result(candidate, scores, time.perf_counter() - start, logits, expected.mean(0), everywhere)


def probe_judged(
    labelled: Domain, network: Backbone, judge: CrossValidation, training: Training, told: str = ""
) -> Result:
    """The row of the probe on a network; told: what tells this network from others of its name."""
    candidate = Candidate(probe_of(labelled.asked), network, "what its features are worth", variant=told)
    problem = Problem(target_labelled=labelled)
    entry = Entry.at_the_cut(candidate, problem, Store(), training)
    return judged(entry, judge.splits(labelled))


def judgeable_in_all(labelled: Domain, splits: list[list[Rows]]) -> Bool[Tensor, " n"]:
    """The samples that every repeat holds out with others of their class left to learn from."""
    times = torch.zeros(len(labelled), dtype=torch.long)
    for rows in (rows for held_out in splits for rows in held_out):
        times[rows] += judgeable(labelled, rows).long()
    return times == len(splits)
