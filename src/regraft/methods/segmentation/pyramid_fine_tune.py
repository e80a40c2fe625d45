"""A feature pyramid first, and then a little of everything below it."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...backbone import Backbone
from ...backbones.pyramid import levels_of
from ...heads.feature_pyramid import FeaturePyramid
from ...method import Network, Trained, param
from ...output.mask import Mask
from ...problem import Problem
from ...schedule import Schedule
from ...training import Training


@final
@dataclass(frozen=True, kw_only=True)
class PyramidFineTune(Trained):
    """min_{η,β} (1/n) Σᵢ mean_p ℓ(h_β(φ_η(xᵢ))_p, y_ip)  from pretrained η: β first, then both

    h_β is a feature pyramid as in PyramidHead, over pixels p that are not void. It learns alone for the first
    `head_first` of training, then all stages follow at a smaller rate; BatchNorm keeps its statistics. A mask
    tells more than a label, so this pays from some tens of masks on, where the network's maps alone are too
    coarse or too much about photos of another kind.

    >>> import torch
    >>> from regraft.backbones import glyphs, pyramid
    >>> from regraft.domain import Domain
    >>> owls = torch.zeros(6, 32, 32, dtype=torch.uint8)
    >>> owls[:, 8:24, :16] = 1
    >>> seen = Problem(target_labelled=Domain(200 * owls, owls, Mask(("sky", "owl"))))
    >>> model = PyramidFineTune(least_steps=40, held_out=0.0).fit(seen, pyramid(glyphs()))
    >>> bool((torch.stack(model.masks(200 * owls)) == owls).float().mean() > 0.9)
    True
    """

    outputs: ClassVar[frozenset[str]] = frozenset({Mask.kind})
    reference: ClassVar[str] = "Long et al., CVPR 2015, arXiv:1411.4038; Lin et al., arXiv:1612.03144"
    map: ClassVar[tuple[str, ...]] = ("M11", "M04")

    width: int = param(32, "channels of the pyramid, a multiple of 8", search=(16, 32, 64))
    rate: float = param(3e-3, "learning rate of the pyramid at its height", search=(1e-3, 3e-3, 1e-2))
    stage_rate: float = param(3e-4, "learning rate of the stages at its height", search=(1e-4, 3e-4, 1e-3))
    head_first: float = param(0.3, "share of training in which only the pyramid learns", search=(0.1, 0.3))
    epochs: int = param(15, "passes over the pictures", search=(15, 30, 60))
    batch_size: int = param(8, "pictures in a step", search=(4, 8, 16))

    def lowest_trained(self, backbone: Backbone) -> int:
        return 0

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        labelled = problem.domains["target_labelled"]
        return Network(backbone, FeaturePyramid(levels_of(backbone), labelled.asked.width, self.width))

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (self.head_first,) * stages)
