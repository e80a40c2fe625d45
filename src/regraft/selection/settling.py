"""How many labels of the target would settle whether an adaptation helps."""

import math
from dataclasses import dataclass
from typing import Any, final

from jaxtyping import Int
from torch import Tensor

Z_BOUND = 1.5  # of the verdict (`intervals.paired_gain`)
Z_POWER = 0.84  # four times in five
RIGHT = 0.7  # of the samples that two candidates name differently, that one of them names right


@final
@dataclass(frozen=True)
class Settling:
    """The samples that two candidates name differently: only their labels can tell which is better.

    rows: of the target. labels: how many of them, drawn at random, to label. share: of the target.
    """

    ours: str
    theirs: str
    rows: tuple[int, ...]
    labels: int
    share: float

    def __str__(self) -> str:
        if not self.rows:
            return f"{self.ours} and {self.theirs} name all of the target alike: there is nothing to settle"
        some = min(self.labels, len(self.rows))
        beyond = "" if self.labels <= len(self.rows) else ", which may not be enough to be sure"
        return (
            f"{self.ours} and {self.theirs} name {len(self.rows)} samples of the target differently "
            f"({100 * self.share:.0f} %): labelling {some} of those, drawn at random, would settle it{beyond}"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "ours": self.ours,
            "theirs": self.theirs,
            "labels": self.labels,
            "share": self.share,
            "rows": list(self.rows),
        }


def settling(ours: Int[Tensor, " n"], theirs: Int[Tensor, " n"], names: tuple[str, str]) -> Settling:
    """What would settle it between two candidates, by what each says of the target.

    Of the samples on which they differ a sign test needs
    n = ((z/2 + z' √(p (1 − p))) / (p − ½))²  to find the better of two that is right in p = 0.7 of them,
    four times in five, at the bound of the verdict (93 %).

    >>> import torch
    >>> found = settling(torch.arange(4), torch.tensor([0, 1, 0, 0]), ("CORAL", "SourceOnly"))
    >>> found.rows, found.labels
    ((2, 3), 33)
    """
    differ = (ours != theirs).nonzero().squeeze(1).tolist()
    needed = ((Z_BOUND / 2 + Z_POWER * math.sqrt(RIGHT * (1 - RIGHT))) / (RIGHT - 0.5)) ** 2
    return Settling(*names, tuple(differ), math.ceil(needed), len(differ) / max(len(ours), 1))
