"""Many tasks, of which few can be labelled: which ones, and how much each of them says of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import InputError
from .trust import source_weights


@final
@dataclass(frozen=True, eq=False)
class TaskChoice:
    """The tasks to label, what each of them weighs for every task, and the mean bound that they leave.

    weights: a row for every task, of sum 1, with 0 for tasks that are not labelled.
    """

    labelled: tuple[int, ...]
    weights: Float[Tensor, "t t"]
    bound: float


def weighted_tasks(
    discrepancy: Float[Tensor, "t t"],
    sizes: Float[Tensor, " t"],
    labelled: Sequence[int],
    strength: float = 1.0,
) -> TaskChoice:
    """The weights that minimise (1/T) Σ_t (Σ_i α_ti disc(t, i) + λ √(Σ_i α_ti²/m_i)), i among the labelled

    discrepancy: of the samples of every pair of tasks, without labels, 0 on the diagonal. sizes: m_i.
    λ: `strength`. Every row is `source_weights`, exactly. What couples the tasks in Pentina & Lampert's bound
    is left out, so that the rows are problems of their own. Nor does it see whether one classifier could do
    two tasks at once, which no sample without labels tells.

    >>> apart = torch.tensor([[0.0, 0.1, 0.8], [0.1, 0.0, 0.8], [0.8, 0.8, 0.0]])
    >>> weighted_tasks(apart, torch.full((3,), 100.0), [0, 2]).weights[1].tolist()
    [1.0, 0.0, 0.0]
    """
    chosen = torch.tensor(sorted(set(labelled)))
    weights = torch.zeros(discrepancy.shape, dtype=torch.float64)
    for row, apart in zip(weights, discrepancy, strict=True):
        row[chosen] = source_weights(apart[chosen], sizes[chosen], strength)
    spread = (weights.square() / sizes).sum(1).sqrt()
    bound = ((weights * discrepancy).sum(1) + strength * spread).mean()
    return TaskChoice(tuple(chosen.tolist()), weights, float(bound))


def tasks_to_label(
    discrepancy: Float[Tensor, "t t"], sizes: Float[Tensor, " t"], number: int, strength: float = 1.0
) -> TaskChoice:
    """So many tasks that label them all best, by the bound of `weighted_tasks`.

    One after the other the task that lowers the bound most is added, and then tasks are exchanged while an
    exchange lowers it, as k-medoids does. That need not find the best of all choices.

    Pentina & Lampert, Multi-task learning with labeled and unlabeled tasks, ICML 2017, arXiv:1602.06518.

    >>> apart = torch.tensor([[0.0, 0.1, 0.8], [0.1, 0.0, 0.8], [0.8, 0.8, 0.0]])
    >>> tasks_to_label(apart, torch.tensor([100.0, 200.0, 100.0]), 2).labelled
    (1, 2)
    """
    tasks = range(len(sizes))
    if not 0 < number <= len(sizes):
        raise InputError(f"{number} of {len(sizes)} tasks are to be labelled: label from 1 to all of them")

    def bound(chosen: Sequence[int]) -> float:
        return weighted_tasks(discrepancy, sizes, chosen, strength).bound

    chosen: list[int] = []
    while len(chosen) < number:
        chosen.append(min((t for t in tasks if t not in chosen), key=lambda t: bound([*chosen, t])))
    best, improved = bound(chosen), True
    while improved:
        improved = False
        for place in range(number):
            for other in (t for t in tasks if t not in chosen):
                trial = [*chosen[:place], other, *chosen[place + 1 :]]
                if (found := bound(trial)) < best - 1e-12:
                    chosen, best, improved = trial, found, True
                    break
    return weighted_tasks(discrepancy, sizes, chosen, strength)
