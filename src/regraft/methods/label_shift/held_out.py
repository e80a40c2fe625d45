"""What a learner says of the source's samples that it has not seen."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...domain import Domain
from ...folds import complement, judgeable, stratified_folds
from ...method import OnFeatures
from ...training import Training


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Scores of held-out samples, and who said them.

    rows: which samples were held out by some fold. logits: what the others' head says of them. heads: that
    of every fold.
    """

    rows: Int[Tensor, " h"]
    logits: Float[Tensor, "h k"]
    heads: list[nn.Module]


def held_out_by(learner: OnFeatures, source: Domain, folds: int, training: Training) -> HeldOut:
    """Stratified folds, each judged by the head of the others; nothing where no class has two samples."""
    parts = stratified_folds(source, folds, training.seed)
    parts = [rows[judgeable(source, rows)] for rows in parts]
    kept = [complement(rows, len(source)) for rows in parts]
    heads = learner.heads(source, kept, training) if kept else []
    with torch.no_grad():
        said = [head(source.x[rows]) for head, rows in zip(heads, parts, strict=True)]
    empty = torch.zeros(0, source.asked.width, dtype=torch.float64)
    return HeldOut(torch.cat([*parts, torch.zeros(0, dtype=torch.long)]), torch.cat([*said, empty]), heads)


def class_shares(source: Domain, more: float = 0.0) -> Float[Tensor, " k"]:
    """The share of each class, by the samples' weights where they have some; `more` is added to every class.

    >>> class_shares(Domain(torch.zeros(3, 1), ["owl", "crow", "owl"]), more=1).tolist()
    [0.4, 0.6]
    """
    weight = weights_of(source)
    counts = torch.bincount(source.labels, weight / weight.mean(), minlength=source.classes.width)
    return (counts + more) / (counts + more).sum()


def weights_of(source: Domain) -> Float[Tensor, " n"]:
    """The samples' own weights, 1 where they have none."""
    return torch.ones(len(source)).double() if source.weight is None else source.weight.double()
