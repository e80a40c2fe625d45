"""The scales and shifts of normalisation and the head alone."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...schedule import Schedule
from .tuned import Tuned


@final
@dataclass(frozen=True, kw_only=True)
class NormTuning(Tuned):
    """min_{γ,δ,β} (1/n) Σ ℓ(φ_{η∖γδ,γ,δ}(xᵢ)ᵀβ, yᵢ)  over the scales γ and shifts δ of normalisation

    Where the look of the pictures changed rather than what is in them, the units of a network have the wrong
    gain and offset; these are the numbers that set them. The statistics of BatchNorm stay those of
    pretraining.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> NormTuning(held_out=0.0).fit(Problem(target_labelled=data), small_mlp(1)).predict([[0.2], [0.9]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Frankle, Schwab & Morcos, ICLR 2021, arXiv:2003.00152"
    map: ClassVar[tuple[str, ...]] = ("M08",)

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (0.0,) * stages, which="norms")
