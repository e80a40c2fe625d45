"""Labels that are spelled in two ways, and labels that are likely wrong."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..domain import Domain
from ..output import Classes, spelled_alike
from ..samples import sample_names
from ..text import counted
from .findings import Finding, Sample

SURE = 0.6  # by how much another class must be more probable than the label; chosen on ants and bees


def spelling(name: str, domain: Domain) -> Iterator[Finding]:
    """Labels that differ only by Unicode form, case or surrounding space.

    >>> from regraft.output import classes_of
    >>> output, told = classes_of(["owl", "Owl"], "keep")
    >>> print(*spelling("birds", Domain([[0.0], [1.0]], output.encode(told), output)))
    warning: birds: labels that differ only by case, space or Unicode form, 'Owl' and 'owl': merge them \
(--merge-labels) or keep them apart (--keep-labels); fit asks which [0 = 1]
    """
    if domain.y is None or not isinstance(domain.output, Classes):
        return
    names, classes = sample_names(domain.x), domain.output
    there = [classes.names[i] for i in classes.counts(domain.labels).nonzero().squeeze(1).tolist()]
    alike = spelled_alike(there)
    if alike:
        rows = [[int((domain.labels == i).nonzero()[0]) for i in classes.encode(group)] for group in alike]
        listed = "; ".join(" and ".join(map(repr, group)) for group in alike[:5]) + "; …" * (len(alike) > 5)
        yield Finding(
            "spelling",
            "warning",
            f"{name}: labels that differ only by case, space or Unicode form, {listed}: "
            "merge them (--merge-labels) or keep them apart (--keep-labels); fit asks which",
            tuple(tuple(Sample(name, row, names[row]) for row in sorted(group)) for group in rows),
        )


def label_errors(
    name: str, domain: Domain, probabilities: Float[Tensor, "n k"], judged: Bool[Tensor, " n"]
) -> Iterator[Finding]:
    """The samples whose label is likely wrong, the surest first."""
    classes = domain.classes
    likely, better = suspects(probabilities, domain.labels, judged)
    if len(likely):
        names, rows = sample_names(domain.x), likely.tolist()
        yield Finding(
            "label errors",
            "warning",
            f"{name}: {counted(len(rows), 'label')} that models fitted without the sample take to be wrong: "
            "look at them",
            tuple(
                (Sample(name, row, names[row], f"rather {seen}"),)
                for row, seen in zip(rows, classes.decode(better), strict=True)
            ),
        )


def suspects(
    probabilities: Float[Tensor, "n k"], y: Int[Tensor, " n"], judged: Bool[Tensor, " n"]
) -> tuple[Int[Tensor, " m"], Int[Tensor, " m"]]:
    """(rows whose label is likely wrong, the class that each seems to have), the surest first.

    Confident learning (Northcutt, Jiang & Chuang, JAIR 2021, eq. 1): class j is meant confidently where
    pᵢⱼ ≥ tⱼ, the mean of pᵢⱼ over the samples that are labelled j; a sample whose most probable confident
    class is not its label counts as an error. Besides, that class must be more probable than the label by
    more than `SURE`, which costs a good model nothing and keeps a poor one quiet: one on raw pixels, right in
    six of ten, calls 27 % of ants and bees mislabelled without it and 2 % with it.

    >>> p = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.95, 0.05], [0.45, 0.55]])
    >>> [found.tolist() for found in suspects(p, torch.tensor([0, 0, 1, 1, 0]), torch.ones(5) > 0)]
    [[3], [0]]
    """
    k = probabilities.shape[1]
    own = probabilities.gather(1, y[:, None]).squeeze(1)
    count = torch.bincount(y[judged], minlength=k)
    threshold = torch.bincount(y[judged], own[judged], minlength=k) / count
    confident = probabilities >= threshold.nan_to_num(torch.inf)
    best, seen = probabilities.where(confident, -torch.inf).max(1)
    margin = best - own
    rows = (judged & (seen != y) & (margin > SURE)).nonzero().squeeze(1)
    rows = rows[margin[rows].argsort(descending=True, stable=True)]
    return rows, seen[rows]
