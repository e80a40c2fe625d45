"""How a number is obtained; its name is printed next to the number."""

from dataclasses import dataclass
from typing import final

from ..domain import Domain
from ..errors import InputError
from ..folds import Rows, drawn_by_class, judgeable, random_folds, stratified_folds
from ..output import Classes

ENOUGH = 200  # tests in all, after which another repeat is not worth its time
MOST = 10
PLENTY, FEWER = 100, 3  # samples from which two thirds teach nearly what four fifths do, and so many folds


@final
@dataclass(frozen=True)
class CrossValidation:
    """Repeated k-fold cross-validation; groups stay together.

    The folds are random, as samples come, and stratified where all classes are as large (`drawn_by_class`).
    repeats: 0 chooses, from 1 for more than 100 samples to 10 for few. What a fold predicts was fitted
    without it, preprocessing and regularisation included. Networks that are trained have one repeat, and
    from 100 samples on three folds: half of the training, and a number that is rather too low. All others
    share their folds.

    >>> import torch
    >>> birds = Domain(torch.zeros(20, 1), ["owl", "crow"] * 10)
    >>> judge = CrossValidation()
    >>> len(judge.splits(birds)), len(judge.splits(birds)[0]), judge.describe(birds)
    (10, 5, '5-fold cross-validation, repeated 10 times')
    """

    folds: int = 5
    repeats: int = 0
    seed: int = 0

    def splits(self, labelled: Domain, trained: bool = False) -> list[list[Rows]]:
        """The held-out rows of every fold of every repeat; trained: for networks that are."""
        repeats = self.repeats or min(MOST, max(1, ENOUGH // len(labelled)))
        folds = self.folds
        if trained:
            repeats, folds = 1, min(folds, FEWER) if len(labelled) >= PLENTY else folds
        split = stratified_folds if drawn_by_class(labelled) else random_folds
        made = [split(labelled, folds, self.seed + r) for r in range(repeats)]
        if not any(judgeable(labelled, rows).any() for rows in made[0]):
            lonely = "there is"
            if isinstance(labelled.asked, Classes):
                lonely = f"every one of the {labelled.classes.width} classes has"
            raise InputError(
                f"{lonely} a single sample (or a single group, or copies of one picture): "
                "nothing can be judged; label at least two of some class"
            )
        return made

    def describe(self, labelled: Domain, trained: bool = False) -> str:
        """What is printed next to the numbers; trained: whether trained networks are among them."""
        splits, less = self.splits(labelled), self.splits(labelled, trained=True)
        times = f", repeated {len(splits)} times" if len(splits) > 1 else ""
        fewer = [f"{len(less[0])} folds"] * (len(less[0]) < len(splits[0])) + ["once"] * (len(splits) > 1)
        of_trained = f" (trained networks: {', '.join(fewer)})" if trained and fewer else ""
        grouped = ", by group" if labelled.group is not None else ""
        return f"{len(splits[0])}-fold cross-validation{times}{of_trained}{grouped}"
