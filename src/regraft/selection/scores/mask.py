"""How far masks overlap: the scores of classes of pixels."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, final

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from ...domain import Domain
from ...output.mask import VOID, Mask, to_size
from ..intervals import Interval, jackknife
from .scores import Scores


@final
@dataclass(frozen=True, eq=False)
class MaskScores(Scores):
    """Which pixels were taken for which class, picture by picture.

    counts: for each repeat and each picture, how many pixels of each class (row) were taken for each class
    (column); void pixels are in none. y: the masks. loss: the mean log loss, a picture's pixels averaged.

    mean_iou is the mean over the classes that y has of  n_cc / (Σ_j n_cj + Σ_j n_jc − n_cc)  with n summed
    over all pictures (Pascal VOC), pixel_accuracy is Σ_c n_cc / Σ_cj n_cj. Neither is a mean over pictures,
    so intervals are by the jackknife: every picture (or group) is left out in turn.
    """

    kind: ClassVar[str] = Mask.kind

    counts: Float[Tensor, "r n k k"]
    y: UInt8[Tensor, "n h w"]
    group: Int[Tensor, " n"] | None
    loss: float
    names: tuple[str, ...]
    overlap: float = 0.0

    @classmethod
    def of(cls, expected: Float[Tensor, "r n k h w"], labelled: Domain, overlap: float) -> "MaskScores":
        """From r repeats of probabilities, which are enlarged to the size of the masks."""
        y, names = labelled.labels, labelled.asked.names
        counts = torch.zeros(len(expected), len(y), len(names), len(names), dtype=torch.float64)
        loss = 0.0
        for r, repeat in enumerate(expected):
            for i, p in enumerate(repeat):
                enlarged = to_size(p[None].nan_to_num(0.0).float(), y.shape[1:])[0]
                known = y[i] != VOID
                counts[r, i] = confusion(enlarged.argmax(0), y[i], len(names))
                chance = enlarged.gather(0, y[i].long().where(known, 0)[None])[0]
                loss -= float((chance.clamp_min(1e-12).log() * known).sum() / known.sum().clamp_min(1))
        return cls(counts, y, labelled.group, loss / max(1, len(expected) * len(y)), names, overlap)

    @property
    def metrics(self) -> tuple[str, ...]:
        return Mask.metrics

    @cached_property
    def there(self) -> Bool[Tensor, " k"]:
        """The classes that occur in the masks; others can only be wrong, which the rows of these tell."""
        return self.counts[0].sum((0, 2)) > 0

    def value(self, metric: str) -> float:
        return float(self.values(metric, torch.ones(1, len(self), dtype=torch.float64)))

    def values(self, metric: str, times: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """The metric where the pictures count as often as that, the mean over the repeats."""
        counts = torch.einsum("bn,rnij->brij", times, self.counts)
        right = counts.diagonal(dim1=2, dim2=3)
        if metric == "pixel_accuracy":
            return (right.sum(2) / counts.sum((2, 3)).clamp_min(1)).mean(1)
        asked = counts.sum(3)[..., self.there]
        overlaps = intersection_over_union(counts)[..., self.there]
        here = asked > 0  # a resample may be without a class
        return (overlaps.where(here, 0.0).sum(2) / here.sum(2).clamp_min(1)).mean(1)

    def interval(self, metric: str) -> Interval:
        return jackknife(lambda times: self.values(metric, times), len(self), self.group, self.overlap)

    def gain_over(self, other: "MaskScores", metric: str) -> Interval:
        repeats = min(len(self.counts), len(other.counts))
        ours, theirs = (MaskScores(s.counts[:repeats], s.y, s.group, s.loss, s.names) for s in (self, other))
        return jackknife(
            lambda times: ours.values(metric, times) - theirs.values(metric, times),
            len(self),
            self.group,
            bound=True,
            lowest=-1.0,
        )

    def overlaps(self) -> dict[str, Interval | None]:
        """Intersection over union of every class, or None where no mask has it."""
        return {
            name: self._overlap_of(c) if there else None
            for c, (name, there) in enumerate(zip(self.names, self.there.tolist(), strict=True))
        }

    def columns(self) -> dict[str, str]:
        overlaps = intersection_over_union(self.counts.sum(1)).mean(0).tolist()
        worst = min(
            (float(v), name) for v, name, t in zip(overlaps, self.names, self.there, strict=True) if t
        )
        return {**self.measures(), "worst class": f"{worst[0]:.2f} {worst[1][:18]}"}

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {metric: self.interval(metric).to_json() for metric in self.metrics}
        told |= {"log_loss": self.loss, "judged": len(self)}
        told["iou"] = {name: i and i.to_json() for name, i in self.overlaps().items()}
        return told

    def _overlap_of(self, c: int) -> Interval:
        def of_class(times: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
            counts = torch.einsum("bn,rnij->brij", times, self.counts)
            return intersection_over_union(counts)[..., c].mean(1)

        return jackknife(of_class, len(self), self.group, self.overlap)


def confusion(said: Int[Tensor, "h w"], asked: UInt8[Tensor, "h w"], classes: int) -> Int[Tensor, "k k"]:
    """How many pixels of each class (row) were taken for each class (column), without void ones.

    >>> confusion(torch.tensor([[0, 1, 1]]), torch.tensor([[0, 0, 255]], dtype=torch.uint8), 2).tolist()
    [[1, 1], [0, 0]]
    """
    known = asked != VOID
    pairs = asked[known].long() * classes + said[known].long()
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def intersection_over_union(counts: Float[Tensor, "*b k k"]) -> Float[Tensor, "*b k"]:
    """n_cc / (Σ_j n_cj + Σ_j n_jc − n_cc) of every class; 0 where there is neither.

    >>> intersection_over_union(torch.tensor([[8.0, 2.0], [0.0, 6.0]]))
    tensor([0.8000, 0.7500])
    """
    right = counts.diagonal(dim1=-2, dim2=-1)
    union = counts.sum(-1) + counts.sum(-2) - right
    return right / union.clamp_min(1e-12)
