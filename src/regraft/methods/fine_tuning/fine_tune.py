"""All layers, a little, after the head."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...method import param
from ...schedule import Schedule
from .tuned import Tuned


@final
@dataclass(frozen=True, kw_only=True)
class FineTune(Tuned):
    """min_{η,β} (1/n) Σ ℓ(φ_η(xᵢ)ᵀβ, yᵢ)  from pretrained η: β first, then both with small steps

    β starts at the optimum of the linear probe and, for the first `head_first` of training, learns alone;
    then all stages follow at half of its rate. BatchNorm keeps the statistics of pretraining. Training
    steps back to the moment of the lowest loss on labels it held out. It beats the probe where there are
    some tens of labels a class and the images differ from those of pretraining; with few labels it forgets
    more than it learns, which is why it has to beat the probe before it is handed over.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> FineTune(held_out=0.0).fit(Problem(target_labelled=data), small_mlp(1)).predict([[0.2], [0.9]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Kumar et al., LP-FT, ICLR 2022, arXiv:2202.10054"
    map: ClassVar[tuple[str, ...]] = ("M04",)

    head_first: float = param(0.1, "share of training in which only the head learns", search=(0.0, 0.1, 0.3))

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (self.head_first,) * stages)
