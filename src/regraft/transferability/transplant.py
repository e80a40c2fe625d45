"""A network of which the first stages are another's: a point of the curves."""

from dataclasses import dataclass
from typing import ClassVar, final

from ..backbone import Backbone
from ..method import param
from ..methods.baselines.from_scratch import with_new_head
from ..problem import Problem
from ..schedule import Schedule
from ..surgery import draw_anew
from ..trained import Network, Trained
from ..training import Training


@final
@dataclass(frozen=True, kw_only=True)
class Transplant(Trained):
    """min_{η_>,β} (1/n) Σ ℓ(φ_{η_>}(a(xᵢ))ᵀβ, yᵢ)  from random η_> and β,  a(x) = the copied stages

    The first `copied` stages are those of the backbone that is given, the others and the head start at
    random. The copies stay as they are, BatchNorm's statistics too, or learn along (`tuned`) at the rate of
    the others. With nothing copied it is training from scratch. With one seed, what is random starts from
    the same numbers and sees the same batches whatever is copied, and whether or not the copies learn.

    >>> import torch
    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> data, theirs = Domain([[0.0], [1.0]], ["low", "high"]), small_mlp(1, widths=(4, 4))
    >>> made = Transplant(copied=1, least_steps=5).fit(Problem(target_labelled=data), theirs).backbone
    >>> [torch.equal(made.stages[i].linear.weight, theirs.stages[i].linear.weight) for i in range(2)]
    [True, False]
    """

    reference: ClassVar[str] = "Yosinski et al., NeurIPS 2014, arXiv:1411.1792"
    map: ClassVar[tuple[str, ...]] = ("M10",)

    copied: int = param(0, "how many of the first stages are copied", search=(0, 1, 2))
    tuned: bool = param(False, "whether the copies learn too", search=(False, True))
    rate: float = param(2e-3, "learning rate at its height", search=(5e-4, 2e-3, 5e-3))

    def lowest_trained(self, backbone: Backbone) -> int:
        return 0 if self.tuned else self.copied

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        for stage in backbone.stages[self.copied if self.tuned else 0 :]:
            draw_anew(stage)
        return with_new_head(backbone, problem)

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.rate, (0.0,) * stages, statistics=True)
