"""Small tasks with known truth: labels, what a raw look shows of them, and what a borrowed one shows.

Every task has two looks at the same samples. What the borrowed look knows more, or less, is drawn at random,
so among many tasks there are transfers that help, that harm and that change nothing. The generators in
`CHOOSING` were used to choose the rules that `honesty.py` measures, those in `FINAL` were not.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")

FRESH = 4000  # samples that tell the truth, to less than a point


@dataclass(frozen=True)
class Task:
    """n labelled samples and `FRESH` more, each as the raw look and as the borrowed look shows it."""

    raw: Tensor
    borrowed: Tensor
    y: Tensor
    labelled: int
    made: str


def draw(generators: dict[str, Callable[..., Tensor]], seed: int, n: int) -> Task:
    """A task of a generator, a number of classes, a difficulty and a transfer drawn by the seed."""
    luck = torch.Generator().manual_seed(seed)
    name = list(generators)[int(torch.randint(len(generators), (), generator=luck))]
    classes, columns = (pick(values, luck) for values in ((2, 2, 3, 5), (5, 20, 60)))
    y = labels(n, classes, pick((True, False), luck), luck)
    x = generators[name](y, columns, 4 * uniform(luck), luck)
    relation = pick(("better", "better", "same worth", "worse", "nothing"), luck)
    dim, dimmer = x + 3 * uniform(luck) * noise(x, luck), x + 2 * uniform(luck) * noise(x, luck)
    raw, borrowed = {
        "better": (dim, x),
        "same worth": (dim, x + (dim - x).std() * noise(x, luck)),
        "worse": (x, dimmer),
        "nothing": (noise(x, luck), noise(x, luck)),
    }[relation]
    return Task(raw, borrowed, y, len(y) - FRESH, f"{name}, {relation}")


def labels(n: int, classes: int, by_class: bool, luck: torch.Generator) -> Tensor:
    """n labels and `FRESH` more of the same proportions: as many of each class, or drawn as they come.

    At least two of each class are among the n.
    """
    if by_class:
        each = n // classes
        order = torch.randperm(each * classes, generator=luck)
        return torch.cat([order % classes, torch.arange(FRESH) % classes])
    share = 0.3 + torch.rand(classes, generator=luck)
    while True:
        y = torch.multinomial(share / share.sum(), n + FRESH, replacement=True, generator=luck)
        if int(torch.bincount(y[:n], minlength=classes).min()) >= 2:
            return y


def blobs(y: Tensor, columns: int, apart: float, luck: torch.Generator) -> Tensor:
    """A round Gaussian for each class."""
    return _centres(int(y.max()) + 1, columns, apart, luck)[y] + _noise(len(y), columns, luck)


def ellipses(y: Tensor, columns: int, apart: float, luck: torch.Generator) -> Tensor:
    """One long Gaussian for each class, all of the same shape."""
    shape = torch.randn(columns, columns, generator=luck) / math.sqrt(columns)
    return _centres(int(y.max()) + 1, columns, apart, luck)[y] + _noise(len(y), columns, luck) @ shape


def two_modes(y: Tensor, columns: int, apart: float, luck: torch.Generator) -> Tensor:
    """Each class is of two kinds, which no line tells apart from the others."""
    kind = 2 * y + torch.randint(2, y.shape, generator=luck)
    return _centres(2 * (int(y.max()) + 1), columns, 1.5 * apart, luck)[kind] + _noise(len(y), columns, luck)


def heavy_tails(y: Tensor, columns: int, apart: float, luck: torch.Generator) -> Tensor:
    """Student's t with three degrees of freedom around each class."""
    spread = (_noise(len(y), 3, luck).pow(2).mean(1, keepdim=True)).sqrt()
    return _centres(int(y.max()) + 1, columns, apart, luck)[y] + _noise(len(y), columns, luck) / spread


def words(y: Tensor, columns: int, apart: float, luck: torch.Generator) -> Tensor:
    """Words that occur or do not, each class with its own frequencies."""
    rare = _noise(1, columns, luck) + apart / 2 * _noise(int(y.max()) + 1, columns, luck) / math.sqrt(columns)
    return (torch.rand(len(y), columns, generator=luck) < (3 * rare).sigmoid()[y]).float()


def wrong_labels(y: Tensor, columns: int, apart: float, luck: torch.Generator) -> Tensor:
    """Blobs of which one in seven belongs to another class than its label says."""
    other = torch.randint(int(y.max()) + 1, y.shape, generator=luck)
    true = torch.where(torch.rand(len(y), generator=luck) < 1 / 7, other, y)
    return blobs(true, columns, 1.5 * apart, luck)


CHOOSING = {"blobs": blobs, "ellipses": ellipses}
FINAL = {"two modes": two_modes, "heavy tails": heavy_tails, "words": words, "wrong labels": wrong_labels}


def noise(x: Tensor, luck: torch.Generator) -> Tensor:
    """Standard normal numbers of the shape of x."""
    return _noise(*x.shape, luck)


def uniform(luck: torch.Generator) -> float:
    return float(torch.rand((), generator=luck))


def pick(values: Sequence[T], luck: torch.Generator) -> T:
    return values[int(torch.randint(len(values), (), generator=luck))]


def _noise(n: int, columns: int, luck: torch.Generator) -> Tensor:
    return torch.randn(n, columns, generator=luck)


def _centres(classes: int, columns: int, apart: float, luck: torch.Generator) -> Tensor:
    """A centre for each class, each `apart` from the middle in units of the noise."""
    c = torch.randn(classes, columns, generator=luck)
    return apart / math.sqrt(2) * c / c.norm(dim=1, keepdim=True)
