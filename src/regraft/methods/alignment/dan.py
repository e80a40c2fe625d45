"""DAN: features of which both domains have the same mean embedding."""

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from ...method import param
from ...terms.discrepancy import mmd2
from ...trained import Network
from ...training import Step, Terms
from ..across import AcrossDomains, target_of


@final
@dataclass(frozen=True, kw_only=True)
class DAN(AcrossDomains):
    """min_{η,β}  R_S(φ_η, β) + λ MMD²(φ_η(x_s), φ_η(x_t))

    MMD² = mean k(s, s') + mean k(t, t') − 2 mean k(s, t) over a batch of each domain, k the mean of five
    Gaussian kernels around the median distance, which is taken as it is: it sends back no gradient. All
    moments are compared, with nothing to be trained against the network. It helps where the two look
    different and mean the same. Where classes have other proportions in the target it moves some of them into
    others, and far apart, beyond the widest kernel, hardly any gradient is left. λ = 0 is SourceTuned.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> DAN().fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Long et al., ICML 2015, arXiv:1502.02791, eq. 1 to 4, on the last features"
    map: ClassVar[tuple[str, ...]] = ("M29",)
    weighted: ClassVar[str] = "mmd_weight"

    mmd_weight: float = param(1.0, "λ: how much a difference costs", search=(0.0, 0.3, 1.0, 3.0))
    unbiased: bool = param(
        False, "whether no sample is compared with itself: 0 on average where nothing differs", (False, True)
    )

    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        target = network.features(target_of(step))
        return {"mmd2": self.mmd_weight * mmd2(source, target, unbiased=self.unbiased)}
