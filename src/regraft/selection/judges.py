"""How a number is obtained; its name is printed next to the number."""

from dataclasses import dataclass
from typing import final

from ..domain import Domain
from ..errors import InputError
from ..folds import Rows, drawn_by_class, judgeable, random_folds, stratified_folds
from ..output import Classes

ENOUGH = 200  # tests in all, after which another repeat is not worth its time
MOST = 10


@final
@dataclass(frozen=True)
class CrossValidation:
    """Repeated k-fold cross-validation; groups stay together, all candidates share the folds.

    The folds are random, as samples come, and stratified where all classes are as large (`drawn_by_class`).
    repeats: 0 chooses, from 1 for more than 100 samples to 10 for few. What a fold predicts was fitted
    without it, preprocessing and regularisation included.

    >>> import torch
    >>> birds = Domain(torch.zeros(20, 1), ["owl", "crow"] * 10)
    >>> judge = CrossValidation()
    >>> len(judge.splits(birds)), len(judge.splits(birds)[0]), judge.describe(birds)
    (10, 5, '5-fold cross-validation, repeated 10 times')
    """

    folds: int = 5
    repeats: int = 0
    seed: int = 0

    def splits(self, labelled: Domain) -> list[list[Rows]]:
        """The held-out rows of every fold of every repeat."""
        repeats = self.repeats or min(MOST, max(1, ENOUGH // len(labelled)))
        split = stratified_folds if drawn_by_class(labelled) else random_folds
        made = [split(labelled, self.folds, self.seed + r) for r in range(repeats)]
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
        splits = self.splits(labelled)
        once = " (trained networks: once)" if trained else ""
        times = f", repeated {len(splits)} times{once}" if len(splits) > 1 else ""
        grouped = ", by group" if labelled.group is not None else ""
        return f"{len(splits[0])}-fold cross-validation{times}{grouped}"
