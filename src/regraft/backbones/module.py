"""A network of the user's own."""

import math
from typing import Any, final

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from ..backbone import Backbone
from ..errors import InputError
from ..preprocessing import Preprocessing, preprocessing_from_json
from ..preprocessing.images import ImagePreprocessing
from .cutting import Stages, by_child, cut

MOST_SAMPLE = 1 << 27  # numbers in the sample that a network is cut by


def module_backbone(
    module: nn.Module,
    *,
    preprocessing: Preprocessing | None = None,
    name: str | None = None,
    sample: Tensor | None = None,
) -> Backbone:
    """Your own network as a backbone, from prepared samples to n × d.

    An `nn.Sequential` has its children as stages. Any other module is cut between the parts it is made of,
    in the order in which they run; that is checked on `sample`, two or more prepared inputs (with an
    `ImagePreprocessing` they are made up), and without one the module is a single stage. What is not n × d
    at the end is averaged over all positions (n × d × h × w). The weights are shared, not copied.

    preprocessing: from samples to what the module takes; its first stage, such as normalising, runs before.

    >>> net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 5, 3))
    >>> phi = module_backbone(net)
    >>> phi.names, phi(torch.rand(2, 3, 9, 9)).shape
    (['0', '1', '2'], torch.Size([2, 5]))
    """
    spec: dict[str, Any] = {"loader": "module"}
    if sample is not None:
        spec["sample"] = [list(sample.shape), "float" if sample.is_floating_point() else "whole"]
    if isinstance(preprocessing, ImagePreprocessing):
        spec["preprocessing"] = preprocessing.to_json()
        if sample is None:
            sample = preprocessing.first_stage()(pictures(preprocessing))
    if type(module) is nn.Sequential and len(module):
        stages = list(module.named_children())
    elif sample is not None:
        stages = cut(module, sample, by_child(module))
    else:
        stages = [("whole", module)]
    return Backbone(
        framed(stages, preprocessing),
        preprocessing,
        name=name or type(module).__name__,
        spec=spec,
    )


def rebuild_module(spec: dict[str, Any], module: nn.Module) -> Backbone:
    """The user's network, handed in again, in the stages that `spec` tells of."""
    preprocessing = preprocessing_from_json(spec["preprocessing"], {}) if "preprocessing" in spec else None
    sample = None
    if "sample" in spec:
        shape, kind = spec["sample"]
        if math.prod(shape) > MOST_SAMPLE:
            raise InputError(f"a sample of shape {shape} is too large to rebuild a network with")
        random = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        # 0 is a valid token wherever samples are whole numbers
        sample = random if kind == "float" else torch.zeros(shape, dtype=torch.long)
    return module_backbone(module, preprocessing=preprocessing, sample=sample)


def framed(stages: Stages, preprocessing: Preprocessing | None) -> Stages:
    """The chain with what its preprocessing begins with in front, and one vector a sample at its end."""
    *others, (name, last) = stages
    stages = [*others, (name, nn.Sequential(last, VectorEach()))]
    if preprocessing is None:
        return stages
    (name, first), *others = stages
    return [(name, nn.Sequential(preprocessing.first_stage(), first)), *others]


@final
class VectorEach(nn.Module):
    """n × d × h × … averaged over all positions, n × d as it is.

    >>> VectorEach()(torch.ones(2, 5, 4, 4)).shape
    torch.Size([2, 5])
    """

    def forward(self, z: Float[Tensor, "n d ..."]) -> Float[Tensor, "n d"]:
        if not isinstance(z, Tensor) or z.ndim < 2 or z.ndim == 3:
            shape = tuple(z.shape) if isinstance(z, Tensor) else type(z).__name__
            raise InputError(
                f"the network puts out {shape}, and features are n × d or n × d × height × width: "
                "end it with a pooling of your choice"
            )
        return z if z.ndim == 2 else z.flatten(2).mean(2)


def pictures(preprocessing: ImagePreprocessing) -> UInt8[Tensor, "2 c h w"]:
    """Two made-up prepared images, always the same."""
    shape = (2, preprocessing.channels, *preprocessing.size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
