"""A feature pyramid trained on the maps of a frozen network."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...schedule import Schedule
from .pyramid import OnMaps


@final
@dataclass(frozen=True, kw_only=True)
class PyramidHead(OnMaps):
    """min_β (1/n) Σᵢ mean_p ℓ(h_β(φ(xᵢ))_p, y_ip)  over pixels p that are not void, φ frozen

    h_β is a feature pyramid (`heads.FeaturePyramid`): what coarse maps know is added to fine ones, and 3 × 3
    convolutions see neighbours, so that masks hold together better than those of single pixels. φ runs once,
    every step costs the head alone. It needs some tens of masks, and cannot know what the network does not.

    >>> import torch
    >>> from regraft import Domain, Mask, Problem
    >>> from regraft.backbones import glyphs, pyramid
    >>> owls = torch.zeros(6, 32, 32, dtype=torch.uint8)
    >>> owls[:, 8:24, :16] = 1
    >>> seen = Problem(target_labelled=Domain(200 * owls, owls, Mask(("sky", "owl"))))
    >>> model = PyramidHead(least_steps=40, held_out=0.0).fit(seen, pyramid(glyphs()))
    >>> bool((torch.stack(model.masks(200 * owls)) == owls).float().mean() > 0.9)
    True
    """

    reference: ClassVar[str] = "Lin et al., CVPR 2017, arXiv:1612.03144; Kirillov et al., CVPR 2019"
    map: ClassVar[tuple[str, ...]] = ("M11", "M03")

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, 0.0, (1.0,) * stages)
