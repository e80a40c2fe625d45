"""Small networks from scratch: what training without transfer starts from."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

from ..backbone import Backbone
from ..engine import luck_of
from ..errors import InputError
from ..preprocessing.images import ImagePreprocessing

MOST_WIDTH, MOST_LAYERS, MOST_NUMBERS = 256, 64, 1 << 27
LEAST_DEPTH = 4
LEAST_LENET, MOST_LENET_WIDTH = 16, 4096
SMALL = ("small convnet", "lenet", "small mlp")  # the loaders of `rebuild_small`


def small_convnet(
    size: tuple[int, int] = (32, 32),
    colour: Literal["rgb", "grey"] = "rgb",
    width: int = 24,
    seed: int = 0,
    depth: int = LEAST_DEPTH,
) -> Backbone:
    """Images → n × 8·width, a convolutional network of four or more stages with random weights.

    size: height and width in pixels to which images are squashed. colour: "rgb" or "grey".
    width: the channels of the first stage. seed: of the weights; the global generator stays as it is.
    depth: how many stages; those beyond four keep the resolution, half of them before the last halving.

    Raises `InputError` for a size below 8 pixels, a width below 1 or above 256, a depth below 4 or above 64.

    >>> import torch
    >>> images = torch.zeros(2, 28, 28, dtype=torch.uint8)
    >>> small_convnet((16, 16), "grey", width=4).features(images).shape
    torch.Size([2, 32])
    >>> small_convnet(width=4, depth=6).names
    ['stem', 'strokes', 'strokes 2', 'parts', 'parts 2', 'whole']
    """
    if min(size) < 8 or not 1 <= width <= MOST_WIDTH or not LEAST_DEPTH <= depth <= MOST_LAYERS:
        raise InputError(
            f"size {tuple(size)}, width {width} and depth {depth} were given to the small convnet: "
            f"give at least 8 pixels a side, 1 to {MOST_WIDTH} channels and {LEAST_DEPTH} to {MOST_LAYERS} "
            "stages"
        )
    grey_level = (0.5,) * (1 if colour == "grey" else 3)
    preprocessing = ImagePreprocessing(
        (size[0], size[1]), "squash", crop_fraction=1.0, mean=grey_level, std=grey_level, colour=colour
    )
    with luck_of(seed):
        stages = _convolutional(preprocessing, width, depth)
    return Backbone(
        stages,
        preprocessing,
        name="small convnet",
        spec={
            "loader": "small convnet",
            "size": list(size),
            "colour": colour,
            "width": width,
            "seed": seed,
            **({} if depth == LEAST_DEPTH else {"depth": depth}),  # as it was before there was a choice
        },
        licence="none: random weights",
        source="random weights",
        pretrained=False,
    )


def lenet(
    size: tuple[int, int] = (28, 28),
    colour: Literal["rgb", "grey"] = "rgb",
    widths: tuple[int, int, int] = (32, 48, 100),
    seed: int = 0,
) -> Backbone:
    """Images → n × widths[2]: two convolutions, each halved by its maxima, and a layer that sees all places.

    The network of DANN's digits, with BatchNorm: for small pictures of one thing that fills them, where it
    matters what is where, and which train on a processor in minutes. size: height and width in pixels to
    which images are squashed. colour: "rgb" or "grey". Each picture is taken by its own mean and spread, so
    that contrast and light of a domain are gone before anything is learned. widths: the channels of the
    convolutions and the features. seed: of the weights; the global generator stays as it is.

    Raises `InputError` for a size below 16 pixels, or a width below 1 or above 4096.

    Ganin et al., JMLR 2016, arXiv:1505.07818, figure 4a, after LeCun et al., Proc. IEEE 1998.

    >>> import torch
    >>> lenet().features(torch.zeros(2, 16, 16, dtype=torch.uint8)).shape
    torch.Size([2, 100])
    """
    if min(size) < LEAST_LENET or min(widths) < 1 or max(widths) > MOST_LENET_WIDTH:
        raise InputError(
            f"size {tuple(size)} and widths {tuple(widths)} were given to LeNet: give at least "
            f"{LEAST_LENET} pixels a side, and widths from 1 to {MOST_LENET_WIDTH}"
        )
    preprocessing = ImagePreprocessing(
        (size[0], size[1]), "squash", crop_fraction=1.0, colour=colour, standardise=True
    )
    first, second, features = widths
    height, width = (((side - 4) // 2 - 4) // 2 for side in size)
    with luck_of(seed):
        stages: list[tuple[str, nn.Module]] = [
            ("strokes", nn.Sequential(preprocessing.first_stage(), *_pooled(preprocessing.channels, first))),
            ("parts", nn.Sequential(*_pooled(first, second))),
            (
                "whole",
                nn.Sequential(
                    nn.Flatten(),
                    nn.Linear(second * height * width, features, bias=False),
                    nn.BatchNorm1d(features),
                    nn.ReLU(),
                ),
            ),
        ]
    return Backbone(
        stages,
        preprocessing,
        name="lenet",
        spec={
            "loader": "lenet",
            "size": list(size),
            "colour": colour,
            "widths": list(widths),
            "seed": seed,
        },
        licence="none: random weights",
        source="random weights",
        pretrained=False,
    )


def small_mlp(columns: int, widths: Sequence[int] = (64, 64), seed: int = 0) -> Backbone:
    """Vectors n × columns → n × widths[-1], fully connected, one stage a layer, with random weights.

    Vectors of any float type are cast to float32. Raises `InputError` without columns or layers.

    >>> import torch
    >>> small_mlp(3, widths=(8, 5)).features(torch.ones(2, 3, dtype=torch.float64)).shape
    torch.Size([2, 5])
    """
    sizes = [columns, *widths]
    if not 2 <= len(sizes) <= MOST_LAYERS + 1 or min(sizes) < 1:
        raise InputError(
            f"{columns} columns and {len(widths)} layers were given to the small MLP: "
            f"give at least one column and 1 to {MOST_LAYERS} layers, each at least 1 wide"
        )
    if (numbers := sum(a * b for a, b in pairwise(sizes))) > MOST_NUMBERS:
        raise InputError(f"the small MLP would have {numbers:,} weights, and {MOST_NUMBERS:,} are the most")
    with luck_of(seed):
        layers = [_Dense(a, b) for a, b in pairwise(sizes)]
    return Backbone(
        [(f"layer{i}", layer) for i, layer in enumerate(layers, start=1)],
        name="small mlp",
        spec={"loader": "small mlp", "columns": columns, "widths": list(widths), "seed": seed},
        licence="none: random weights",
        source="random weights",
        pretrained=False,
    )


def rebuild_small(spec: dict[str, Any]) -> Backbone:
    """The network that the spec of `small_convnet`, `lenet` or `small_mlp` describes.

    >>> rebuild_small(small_mlp(3).spec).names
    ['layer1', 'layer2']
    """
    arguments = {name: value for name, value in spec.items() if name != "loader"}
    if spec.get("loader") == "small convnet":
        return small_convnet(**{**arguments, "size": tuple(arguments["size"])})
    if spec.get("loader") == "lenet":
        height, width = arguments["size"]
        first, second, features = arguments["widths"]
        return lenet(**{**arguments, "size": (height, width), "widths": (first, second, features)})
    if spec.get("loader") == "small mlp":
        return small_mlp(**arguments)
    raise InputError(f"loader {spec.get('loader')!r} is not a small network: expected {' or '.join(SMALL)}")


def _convolutional(preprocessing: ImagePreprocessing, width: int, depth: int) -> list[tuple[str, nn.Module]]:
    """The stages of the small convolutional networks: stem, strokes and parts halve the resolution."""
    stem = nn.Sequential(
        preprocessing.first_stage(),
        nn.Conv2d(preprocessing.channels, width, 5, stride=2, padding=2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )
    mix = nn.Sequential(
        nn.Conv2d(4 * width, 8 * width, 1, bias=False),
        nn.BatchNorm2d(8 * width),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    more_parts = (depth - LEAST_DEPTH + 1) // 2
    more_strokes = depth - LEAST_DEPTH - more_parts
    return [
        ("stem", stem),
        ("strokes", _Halving(width, 2 * width)),
        *((f"strokes {i + 2}", _Keeping(2 * width)) for i in range(more_strokes)),
        ("parts", _Halving(2 * width, 4 * width)),
        *((f"parts {i + 2}", _Keeping(4 * width)) for i in range(more_parts)),
        ("whole", mix),
    ]


def _pooled(channels: int, out: int) -> list[nn.Module]:
    """A 5×5 convolution without a border, and the largest of every four of its answers.

    Rectified after that and not before, which is the same, at a quarter of the work.
    """
    return [
        nn.Conv2d(channels, out, 5, bias=False),
        nn.BatchNorm2d(out),
        nn.MaxPool2d(2),
        nn.ReLU(),
    ]


class _Halving(nn.Module):
    """relu(a + f(a)) with a = relu(g(x)): g halves the resolution, f is a 3×3 convolution; both normalise."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.halve = nn.Conv2d(channels, out, 3, stride=2, padding=1, bias=False)
        self.halved = nn.BatchNorm2d(out)
        self.refine = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.refined = nn.BatchNorm2d(out)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n out h2 w2"]:
        a = relu(self.halved(self.halve(x)))
        return relu(a + self.refined(self.refine(a)))


class _Keeping(nn.Module):
    """relu(x + f(x)), f a 3×3 convolution that normalises."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.refine = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.refined = nn.BatchNorm2d(channels)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return relu(x + self.refined(self.refine(x)))


class _Dense(nn.Module):
    """relu(W x + b), in float32 whatever float type x has."""

    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(columns, width)

    def forward(self, x: Float[Tensor, "n columns"]) -> Float[Tensor, "n width"]:
        return relu(self.linear(x.to(self.linear.weight.dtype)))
