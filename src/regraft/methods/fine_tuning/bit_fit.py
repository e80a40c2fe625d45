"""The biases and the head alone."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...schedule import Schedule
from .tuned import Tuned


@final
@dataclass(frozen=True, kw_only=True)
class BitFit(Tuned):
    """min_{b,β} (1/n) Σ ℓ(φ_{η∖b,b}(xᵢ)ᵀβ, yᵢ)  over the biases b of the pretrained network

    Of a thousand weights about one is a bias. They shift what every unit sees, which is enough for many
    tasks, and too little to forget what the others know. In networks with normalisation behind every
    convolution the biases are those of the normalisation.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> BitFit(held_out=0.0).fit(Problem(target_labelled=data), small_mlp(1)).predict([[0.2], [0.9]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Ben Zaken, Ravfogel & Goldberg, BitFit, ACL 2022, arXiv:2106.10199"
    map: ClassVar[tuple[str, ...]] = ("M08",)

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (0.0,) * stages, which="biases")
