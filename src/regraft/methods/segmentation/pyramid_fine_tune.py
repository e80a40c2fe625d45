"""A feature pyramid first, and then a little of everything below it."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...backbone import Backbone
from ...method import param
from ...schedule import Schedule
from .pyramid import OnMaps


@final
@dataclass(frozen=True, kw_only=True)
class PyramidFineTune(OnMaps):
    """min_{η,β} (1/n) Σᵢ mean_p ℓ(h_β(φ_η(xᵢ))_p, y_ip)  from pretrained η: β first, then both

    h_β is a feature pyramid as in PyramidHead, over pixels p that are not void. It learns alone for the first
    `head_first` of training, then all stages follow at a smaller rate; BatchNorm keeps its statistics. A mask
    tells more than a label, so this pays from some tens of masks on, where the network's maps alone are too
    coarse or too much about photos of another kind.

    >>> print(PyramidFineTune().schedule(2).table(["stem", "top"]))
    part  learns          at most  BatchNorm
    stem  from 30 %       3e-04    frozen
    top   from 30 %       3e-04    frozen
    head  from the start  3e-03    frozen
    """

    reference: ClassVar[str] = "Long et al., CVPR 2015, arXiv:1411.4038; Lin et al., arXiv:1612.03144"
    map: ClassVar[tuple[str, ...]] = ("M11", "M04")

    stage_rate: float = param(3e-4, "learning rate of the stages at its height", search=(1e-4, 3e-4, 1e-3))
    head_first: float = param(0.3, "share of training in which only the pyramid learns", search=(0.1, 0.3))

    def lowest_trained(self, backbone: Backbone) -> int:
        return 0

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (self.head_first,) * stages)
