"""The maps of a network at several resolutions, instead of one vector a picture."""

import math
from dataclasses import replace
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..backbone import Backbone
from ..errors import InputError
from ..preprocessing.images import ImagePreprocessing
from .module import pictures
from .unpooled import unpooled

Level = tuple[int, int, int]  # channels, height, width

MOST_PLACES = 64 * 64  # of a level: finer maps cost the most memory and tell the least of classes


@torch.no_grad()
def pyramid(backbone: Backbone, size: tuple[int, int] | None = None) -> Backbone:
    """The same stages, ending before the pooling, with the maps of all resolutions kept: n × Σ c h w.

    size: height and width to which pictures are squashed; those of the network if it is not given. They are
    not cropped, so that every pixel of a picture has its place in the maps.

    Each level is the last map of its resolution (Lin et al., CVPR 2017), if it has at most 64 × 64 places or
    is the last of all. What crosses a cut is still one tensor: the levels so far, flattened and side by side,
    then the activations that the next stage takes. So a pyramid freezes, stores its activations and
    fine-tunes stage by stage as its network does. `levels_of` tells the shapes. The modules are shared.

    Raises InputError for a network that takes no pictures or puts out no maps.

    >>> from regraft.backbones import glyphs
    >>> maps = pyramid(glyphs())
    >>> levels_of(maps)
    ((24, 16, 16), (48, 8, 8), (192, 4, 4))
    >>> maps.features(torch.zeros(2, 20, 30, dtype=torch.uint8)).shape[1] == 24 * 256 + 48 * 64 + 192 * 16
    True
    """
    rule = backbone.preprocessing
    if backbone.spec.get("loader") in ("pyramid", "neighbourhoods") and size is None:
        return backbone
    if not isinstance(rule, ImagePreprocessing):
        raise InputError(
            f"{backbone.name} takes no pictures, and masks belong to pictures: "
            "borrow a network for images, such as a timm model"
        )
    rule = replace(rule, size=size or rule.size, resize="squash", crop_fraction=1.0)
    x: Tensor = pictures(rule)
    backbone.eval()
    stages, shapes = list[tuple[str, nn.Module]](), list[Level]()
    for name, stage in zip(backbone.names, backbone.stages, strict=True):
        part = unpooled(stage, x)
        if part is None:
            break
        x = part(x)
        stages.append((name, part))
        shapes.append((x.shape[1], x.shape[2], x.shape[3]))
        if part is not stage:  # what follows takes what was pooled
            break
    if not any(True for _, part in stages for _ in part.parameters()):
        raise InputError(
            f"the stages of {backbone.name} put out no maps (n × c × height × width): "
            "masks need a convolutional network"
        )
    kept = [_is_level(shapes[i:]) for i in range(len(shapes))]
    tapped: list[tuple[str, nn.Module]] = [(stages[0][0], Tapped(stages[0][1]))]
    for i, (name, part) in enumerate(stages[1:]):
        tapped.append((name, Tapped(part, shapes[i], kept[i])))
    made = backbone.rewired(tapped).prepared_by(rule)
    levels = [list(shape) for shape, keep in zip(shapes, kept, strict=True) if keep]
    made.spec = {"loader": "pyramid", "of": backbone.spec, "size": list(rule.size), "levels": levels}
    return made


@final
class Tapped(nn.Module):
    """A stage that takes the end of each row, and leaves what stands before it as it is.

    takes: the shape (c, h, w) of the activations at the end of a row; None for the first stage, which takes
    pictures. keeps: whether they stay in the row, as a level.

    >>> stage = Tapped(nn.AvgPool2d(2), takes=(3, 4, 4), keeps=True)
    >>> stage(torch.ones(2, 7 + 3 * 16)).shape[1] == 7 + 3 * 16 + 3 * 4
    True
    """

    def __init__(self, stage: nn.Module, takes: Level | None = None, keeps: bool = False) -> None:
        super().__init__()
        self.stage = stage
        self.takes = takes
        self.keeps = keeps

    def forward(self, x: Tensor) -> Float[Tensor, "n d"]:
        if self.takes is None:
            out: Tensor = self.stage(x).flatten(1)
            return out
        before, last = x.split([x.shape[1] - math.prod(self.takes), math.prod(self.takes)], dim=1)
        z = self.stage(last.unflatten(1, self.takes)).flatten(1)
        return torch.cat([x if self.keeps else before, z], dim=1)

    def extra_repr(self) -> str:
        return f"takes={self.takes}, keeps={self.keeps}"


def levels_of(backbone: Backbone) -> tuple[Level, ...]:
    """The shapes of the maps in a row of a pyramid's features, from fine to coarse.

    Raises InputError where the features are no maps.
    """
    spec = backbone.spec
    while spec.get("loader") == "slice":
        spec = spec["of"]
    if "levels" not in spec:
        raise InputError(
            f"{backbone.name} gives one vector a picture, and masks need maps: give pyramid(backbone)"
        )
    return tuple((c, h, w) for c, h, w in spec["levels"])


def rebuild_pyramid(spec: dict[str, Any], network: Backbone) -> Backbone:
    """The pyramid that `spec` describes, of the network that it names; their shapes have to agree."""
    height, width = spec["size"]
    made = pyramid(network, (height, width))
    if made.spec["levels"] != spec["levels"]:
        raise InputError(
            f"{network.name} has maps of {made.spec['levels']}, and the saved model tells of "
            f"{spec['levels']}: save the model again"
        )
    return made


def _is_level(shapes: list[Level]) -> bool:
    """Whether the first of these maps is the last of its resolution, and not too fine."""
    places = [h * w for _, h, w in shapes]
    return len(places) == 1 or (places[0] <= MOST_PLACES and places[0] > max(places[1:]))
