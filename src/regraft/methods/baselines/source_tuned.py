"""A network trained on the source, used on the target as it is."""

from dataclasses import dataclass
from typing import ClassVar, final

from ..across import AcrossDomains


@final
@dataclass(frozen=True, kw_only=True)
class SourceTuned(AcrossDomains):
    """min_{η,β} (1/n) Σ ℓ(φ_η(xᵢ)ᵀβ, yᵢ) over the source; the target is not looked at

    What every trained adaptation has to beat: the same network, schedule and steps without its terms of the
    target.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> SourceTuned().fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Ganin et al., JMLR 2016, arXiv:1505.07818, the row of the source alone"
    source_alone: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M28",)
