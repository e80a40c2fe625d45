"""A few labelled samples of the target: a judge of all candidates, and a teacher of some of them."""

import time
from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ..candidates import Candidate
from ..doctor import Copies
from ..errors import InputError
from ..features import Store
from ..model import Model
from ..problem import Problem
from ..text import counted
from ..training import Training
from .budget import Budget
from .entries import Entries
from .judges import CrossValidation
from .judging import judgeable_in_all, judged
from .scores import Scores, scores_of


@final
class FewLabels:
    """What candidates score on a few labelled samples of the target; no sample judges who learned from it.

    Who learns from them is fitted without each fold in turn, to the others and to the source. Who does not
    is asked once, because no fold changes it. All are judged on the same samples: where somebody learns,
    those whose class has another sample that could be learned from.

    problem: with `source`, `target` and `target_labelled`, whose classes are the source's. learners: the
    candidates that learn from these labels.
    """

    def __init__(
        self,
        problem: Problem,
        learners: Sequence[Candidate],
        training: Training,
        store: Store,
        budget: Budget,
    ) -> None:
        # copies of one picture are on one side of every fold
        self.labelled = Copies.among({"labelled": problem.domains["target_labelled"]}).joined("labelled")
        self.problem = problem.having("target_labelled", self.labelled)
        self.training, self.budget = training, budget
        self.entries = Entries(self.problem, training, store)
        self.judge = CrossValidation(seed=training.seed)
        self.learners: list[Candidate] = []
        self.left_out: list[tuple[str, str]] = []
        self.judged = torch.ones(len(self.labelled), dtype=torch.bool)
        if not learners:
            return
        try:
            splits = [self.judge.splits(self.labelled, c.trained) for c in learners]
        except InputError as reason:
            self.left_out = [(c.name, f"it could not be judged: {reason}") for c in learners]
            return
        self.learners = list(learners)
        self.judged = judgeable_in_all(self.labelled, [split for folds in splits for split in folds])

    def of_said(self, said: Float[Tensor, "n k"] | Tensor) -> Scores:
        """The scores of a candidate that has not learned from them, by what it says of each."""
        return scores_of(self.labelled.asked.expected(said)[None], self.labelled, self.judged)

    def of_learners(self) -> tuple[list[tuple[Candidate, Scores, float]], list[tuple[str, str]]]:
        """Those that learn from them, each with its scores and the seconds that it took; who could not be
        tried, and why."""
        found, left_out = [], list(self.left_out)
        with self.training.progress.track("with labels", len(self.learners)) as task:
            for candidate in self.learners:
                start = time.perf_counter()
                try:
                    scores = self._of_learner(candidate)
                    found.append((candidate, scores, time.perf_counter() - start))
                except InputError as reason:
                    left_out.append((candidate.name, str(reason)))
                task.advance()
        return found, left_out

    def _of_learner(self, candidate: Candidate) -> Scores:
        entry, folds = self.entries.of(candidate), self.judge.splits(self.labelled, candidate.trained)
        if reason := self.budget.too_long(entry, len(folds[0])):
            raise InputError(reason)
        return judged(entry, folds, self.judged).scores

    def refitted(self, candidate: Candidate) -> Model:
        """The model of the source and all of these labels, which takes the samples themselves."""
        entry = self.entries.of(candidate)
        return entry.whole(entry.fitted(), self.problem)

    def describe(self, rivals: int) -> str:
        """What is printed next to the choice among so many candidates besides source only."""
        told = [f"{len(self.labelled)} labelled samples of the target"]
        if self.learners:
            trained = any(c.trained for c in self.learners)
            folds = self.judge.describe(self.labelled, trained)
            told.append(f"who learns from them is judged by those that it did not learn from ({folds})")
            told.append(
                f"who does not is asked once, about the same {counted(int(self.judged.sum()), 'sample')}"
            )
        else:
            told[0] += ", which no candidate learned from"
        told.append(f"93 % bounds{f' that hold for all {rivals} gains at once' if rivals > 1 else ''}")
        return "; ".join(told)
