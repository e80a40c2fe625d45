"""What a pretext task teaches a network not to see, and whether the labels are about that."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from .backbones import vectors
from .domain import Domain
from .intervals import Interval
from .output import Classes
from .pretext import Pretext
from .selection.judges import CrossValidation
from .selection.judging import probe_judged
from .training import Training

TELLS = 0.5  # share of what chance leaves open, from which something alone tells the labels
DIRECTIONS, COARSE = 8, 4


@final
@dataclass(frozen=True)
class Contradiction:
    """What a task makes φ blind to, and how much of the labels that alone tells.

    chance: the share of the largest class.
    """

    task: str
    sight: str
    accuracy: Interval
    chance: float

    def __str__(self) -> str:
        return (
            f"{self.sight} alone tells {self.accuracy} of the labels (the largest class: {self.chance:.2f}), "
            f"and {self.task} teaches not to see it"
        )


def contradictions(task: Pretext, labelled: Domain, pixels: UInt8[Tensor, "n c h w"]) -> list[Contradiction]:
    """What the labels are about and the task makes the backbone blind to, measured on these few.

    pixels: the labelled samples, prepared. A probe learns the labels from a handful of numbers that tell of
    one thing and little else (`SIGHTS`), and is judged by cross-validation: where the lower end of its
    accuracy is halfway from the largest class to 1 or above, the labels are about that thing.

    >>> from regraft.pretexts import PRETEXTS
    >>> x = torch.full((40, 3, 8, 8), 90, dtype=torch.uint8)
    >>> x[::2, 0] = 160
    >>> reddish = Domain(torch.zeros(40, 1), ["red", "grey"] * 20)
    >>> [found.sight for found in contradictions(PRETEXTS["SimCLR"](), reddish, x)]
    ['colour']
    """
    if not isinstance(labelled.output, Classes):
        return []
    counts = labelled.classes.counts(labelled.labels)
    chance = float(counts.max() / counts.sum())
    found = []
    for sight in task.unseen:
        told = accuracy_by(SIGHTS[sight](pixels.float()), labelled)
        if told.low >= chance + TELLS * (1 - chance):
            found.append(Contradiction(type(task).__name__, sight, told, chance))
    return found


def accuracy_by(numbers: Float[Tensor, "n d"], labelled: Domain) -> Interval:
    """Of a probe on these numbers alone."""
    seen = labelled.with_(x=numbers.double())
    return probe_judged(seen, vectors(), CrossValidation(), Training()).scores.interval("accuracy")


def _colour(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
    """Mean and spread of every channel, and of the differences between channels."""
    flat = x.flatten(2)
    chroma = (x - x.mean(1, keepdim=True)).flatten(2)
    return torch.cat([flat.mean(2), flat.std(2), chroma.mean(2), chroma.std(2)], 1)


def _orientation(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
    """How much of the edges goes which way: the strength of gradients in eight directions."""
    grey = x.mean(1)
    right, down = grey[:, :-1, 1:] - grey[:, :-1, :-1], grey[:, 1:, :-1] - grey[:, :-1, :-1]
    place = ((torch.atan2(down, right) / (2 * torch.pi) % 1) * DIRECTIONS).round().long() % DIRECTIONS
    strength = (right.square() + down.square()).sqrt().flatten(1)
    sums = torch.zeros(len(x), DIRECTIONS).scatter_add(1, place.flatten(1), strength)
    return sums / strength.sum(1, keepdim=True).clamp_min(1e-6)


def _mirror(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
    """What is on the left less what is on the right."""
    coarse = adaptive_avg_pool2d(x.mean(1, keepdim=True), COARSE)
    return (coarse - coarse.flip(3))[..., : COARSE // 2].flatten(1)


def _position(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
    """Where the mass of what differs from the middle grey of the picture is."""
    mass, rows, columns = _mass(x)
    return torch.stack([(mass * rows).sum((1, 2)), (mass * columns).sum((1, 2))], 1)


def _size(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
    """How far that mass is spread."""
    mass, rows, columns = _mass(x)
    spreads = []
    for axis in (rows, columns):
        middle = (mass * axis).sum((1, 2), keepdim=True)
        spreads.append((mass * (axis - middle).square()).sum((1, 2)).sqrt())
    return torch.stack(spreads, 1)


def _mass(x: Float[Tensor, "n c h w"]) -> tuple[Tensor, Tensor, Tensor]:
    grey = x.mean(1)
    apart = (grey - grey.flatten(1).median(1).values[:, None, None]).abs()
    mass = apart / apart.sum((1, 2), keepdim=True).clamp_min(1e-6)
    h, w = grey.shape[1:]
    return mass, torch.linspace(-1, 1, h)[:, None], torch.linspace(-1, 1, w)


SIGHTS: dict[str, Callable[[Tensor], Tensor]] = {
    "colour": _colour,
    "orientation": _orientation,
    "mirror": _mirror,
    "position": _position,
    "size": _size,
}
