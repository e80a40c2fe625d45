"""A feature pyramid trained on the maps of a frozen network."""

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
class PyramidHead(Trained):
    """min_β (1/n) Σᵢ mean_p ℓ(h_β(φ(xᵢ))_p, y_ip)  over pixels p that are not void, φ frozen

    h_β is a feature pyramid (`heads.FeaturePyramid`): what coarse maps know is added to fine ones, and 3 × 3
    convolutions see neighbours, so that masks hold together better than those of single pixels. φ runs once,
    every step costs the head alone. It needs some tens of masks, and cannot know what the network does not.

    >>> import torch
    >>> from regraft.backbones import glyphs, pyramid
    >>> from regraft.domain import Domain
    >>> owls = torch.zeros(6, 32, 32, dtype=torch.uint8)
    >>> owls[:, 8:24, :16] = 1
    >>> seen = Problem(target_labelled=Domain(200 * owls, owls, Mask(("sky", "owl"))))
    >>> model = PyramidHead(least_steps=40, held_out=0.0).fit(seen, pyramid(glyphs()))
    >>> bool((torch.stack(model.masks(200 * owls)) == owls).float().mean() > 0.9)
    True
    """

    outputs: ClassVar[frozenset[str]] = frozenset({Mask.kind})
    reference: ClassVar[str] = "Lin et al., CVPR 2017, arXiv:1612.03144; Kirillov et al., CVPR 2019"
    map: ClassVar[tuple[str, ...]] = ("M11", "M03")

    width: int = param(32, "channels of the pyramid, a multiple of 8", search=(16, 32, 64))
    rate: float = param(3e-3, "learning rate at its height", search=(1e-3, 3e-3, 1e-2))
    epochs: int = param(15, "passes over the pictures", search=(15, 30, 60))
    batch_size: int = param(8, "pictures in a step", search=(4, 8, 16))

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        labelled = problem.domains["target_labelled"]
        return Network(backbone, FeaturePyramid(levels_of(backbone), labelled.asked.width, self.width))

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, 0.0, (1.0,) * stages)
