"""What both trainings of a feature pyramid have in common."""

from dataclasses import dataclass
from typing import ClassVar

from ...backbone import Backbone
from ...backbones.pyramid import levels_of
from ...heads.feature_pyramid import FeaturePyramid
from ...method import param
from ...output.mask import Mask
from ...problem import Problem
from ...trained import Network, Trained
from ...training import Training


@dataclass(frozen=True, kw_only=True)
class OnMaps(Trained):
    """A feature pyramid with random weights on the maps of a network; recipes say who learns when."""

    outputs: ClassVar[frozenset[str]] = frozenset({Mask.kind})

    width: int = param(32, "channels of the pyramid, a multiple of 8", search=(16, 32, 64))
    rate: float = param(3e-3, "learning rate of the pyramid at its height", search=(1e-3, 3e-3, 1e-2))
    epochs: int = param(15, "passes over the pictures", search=(15, 30, 60))
    batch_size: int = param(8, "pictures in a step", search=(4, 8, 16))

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        labelled = problem.domains["target_labelled"]
        return Network(backbone, FeaturePyramid(levels_of(backbone), labelled.asked.width, self.width))
