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


def small_mlp(columns: int, widths: Sequence[int] = (64, 64), seed: int = 0) -> Backbone:
    """Vectors n × columns → n × widths[-1], fully connected, one stage a layer, with random weights.

    Vectors of any float type are cast to float32. Raises `InputError` without columns or layers.

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
    """The network that the spec of `small_convnet` or `small_mlp` describes.

    >>> rebuild_small(small_mlp(3).spec).names
    ['layer1', 'layer2']
    """
    arguments = {name: value for name, value in spec.items() if name != "loader"}
    if spec.get("loader") == "small convnet":
        return small_convnet(**{**arguments, "size": tuple(arguments["size"])})
    if spec.get("loader") == "small mlp":
        return small_mlp(**arguments)
    raise InputError(
        f"loader {spec.get('loader')!r} is not a small network: expected 'small convnet' or 'small mlp'"
    )


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
