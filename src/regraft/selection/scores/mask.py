"""How far masks overlap: the scores of classes of pixels."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, final

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from ...domain import Domain
from ...intervals import Interval, mean_of
from ...output.mask import VOID, Mask, to_size
from .of_ratios import OfRatios
from .ratios import Ratios


@final
@dataclass(frozen=True, eq=False)
class MaskScores(OfRatios):
    """Which pixels were taken for which class, picture by picture.

    counts: for each repeat and each picture, how many pixels of each class (row) were taken for each class
    (column); void pixels are in none. y: the masks. loss: the mean log loss, a picture's pixels averaged.

    mean_iou is the mean over the classes that y has of  n_cc / (Σ_j n_cj + Σ_j n_jc − n_cc)  with n summed
    over all pictures (Pascal VOC), pixel_accuracy is Σ_c n_cc / Σ_cj n_cj.
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

    def ratios(self, metric: str) -> Ratios:
        """Pixels in both over pixels in either, of every class that is there; or right pixels over all."""
        right = self.counts.diagonal(dim1=2, dim2=3)
        if metric == "pixel_accuracy":
            return Ratios(right.sum(2, keepdim=True), self.counts.sum((2, 3))[..., None])
        either = self.counts.sum(2) + self.counts.sum(3) - right
        return Ratios(right[..., self.there], either[..., self.there])

    def overlaps(self) -> dict[str, Interval | None]:
        """Intersection over union of every class, or None where no mask has it."""
        found: dict[str, Interval | None] = dict.fromkeys(self.names)
        every = self.ratios("mean_iou")
        for part, c in enumerate(self.there.nonzero().flatten().tolist()):
            alone = Ratios(every.above[..., part : part + 1], every.below[..., part : part + 1])
            iou = mean_of(alone.contributions(), self.group, self.overlap)
            found[self.names[c]] = iou.within(self.lowest, 1.0)
        return found

    def columns(self) -> dict[str, str]:
        known = {name: iou.value for name, iou in self.overlaps().items() if iou is not None}
        worst = min(known, key=lambda name: known[name])
        return {**self.measures(), "worst class": f"{known[worst]:.2f} {worst[:18]}"}

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {metric: self.interval(metric).to_json() for metric in self.metrics}
        told |= {"log_loss": self.loss, "judged": len(self)}
        told["iou"] = {name: i and i.to_json() for name, i in self.overlaps().items()}
        return told


def confusion(said: Int[Tensor, "h w"], asked: UInt8[Tensor, "h w"], classes: int) -> Int[Tensor, "k k"]:
    """How many pixels of each class (row) were taken for each class (column), without void ones.

    >>> confusion(torch.tensor([[0, 1, 1]]), torch.tensor([[0, 0, 255]], dtype=torch.uint8), 2).tolist()
    [[1, 1], [0, 0]]
    """
    known = asked != VOID
    pairs = asked[known].long() * classes + said[known].long()
    return torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)
