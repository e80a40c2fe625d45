"""A network with bottleneck adapters behind its blocks: what it knew stays as it is, the adapters learn."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..backbone import Backbone
from ..errors import InputError

Place = tuple[int, int]  # the axis of the channels, and how many there are

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "none": nn.Identity}
MOST_ADDED = 1 << 26  # numbers that all adapters of a network may have together


@final
class Bottleneck(nn.Module):
    """z ↦ z + U a(D z + c) + b  along the axis of the channels, with U = 0 and b = 0 at first.

    channels: d, the size of that axis. width: r, the rows of D (r × d) and columns of U (d × r). On maps
    (n × d × h × w) it is a pair of 1×1 convolutions, on tokens (n × t × d) and vectors one of linear layers.

    >>> z = torch.randn(2, 5, 4, 4)
    >>> torch.equal(Bottleneck(axis=1, channels=5, width=2)(z), z)
    True
    """

    def __init__(self, axis: int, channels: int, width: int, activation: str = "relu") -> None:
        super().__init__()
        self.axis = axis
        self.down = nn.Linear(channels, width)
        self.activation = ACTIVATIONS[activation]()
        self.up = nn.Linear(width, channels)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, z: Float[Tensor, "n *shape"]) -> Float[Tensor, "n *shape"]:
        change: Tensor = self.up(self.activation(self.down(z.movedim(self.axis, -1))))
        return z + change.movedim(-1, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


@final
class Adapted(nn.Module):
    """A part of a network, and the adapter that takes what comes out of it."""

    def __init__(self, inner: nn.Module, adapter: Bottleneck) -> None:
        super().__init__()
        self.inner = inner
        self.adapter = adapter

    def forward(self, x: Tensor) -> Tensor:
        z: Tensor = self.adapter(self.inner(x))
        return z


def adapted(
    backbone: Backbone, places: Mapping[str, Place], width: int, activation: str = "relu"
) -> Backbone:
    """The backbone with an adapter behind some of its modules; it is changed, its function is not yet.

    places: from the path of a module below the stages to the axis of the channels and their number, as
    `places_of` finds them. Raises InputError where there is no module at a path, and for sizes that no
    adapter has.

    >>> from regraft.backbones import small_mlp
    >>> phi = small_mlp(3, widths=(8, 5))
    >>> x = torch.ones(2, 3)
    >>> torch.equal(adapted(phi.copied(), {"0": (1, 8)}, width=2)(x), phi(x))
    True
    """
    if activation not in ACTIVATIONS:
        raise InputError(f"activation {activation!r} of an adapter is unknown: use {', '.join(ACTIVATIONS)}")
    sizes = [width, *(channels for _, channels in places.values())]
    if any(type(size) is not int or size < 1 for size in sizes):
        raise InputError(f"adapters of width {width!r} cannot be made: give a whole number above 0")
    there = sum(p.numel() for m in backbone.modules() if isinstance(m, Bottleneck) for p in m.parameters())
    added = sum(channels * (2 * width + 1) + width for _, channels in places.values())
    if there + added > MOST_ADDED:
        raise InputError(
            f"the adapters would have {there + added:,} numbers, and {MOST_ADDED:,} are the most"
        )
    for path, (axis, channels) in places.items():
        inner = part_at(backbone, path)
        adapter = Bottleneck(axis, channels, width, activation)
        backbone.stages.set_submodule(path, Adapted(inner, adapter))
    backbone.spec = {
        "loader": "adapted",
        "of": backbone.spec,
        "places": {path: list(place) for path, place in places.items()},
        "width": width,
        "activation": activation,
    }
    return backbone


def rebuild_adapted(spec: dict[str, Any], of: Backbone) -> Backbone:
    """The network that `spec` describes, from the one it was added to."""
    places = {path: (axis, channels) for path, (axis, channels) in spec["places"].items()}
    return adapted(of, places, spec["width"], spec["activation"])


def part_at(backbone: Backbone, path: str) -> nn.Module:
    """The module at a path below the stages."""
    try:
        if path:
            return backbone.stages.get_submodule(path)
    except AttributeError:
        pass
    raise InputError(f"{backbone.name} has no part {path!r}: give the network that was meant")


def places_of(backbone: Backbone, x: Tensor) -> dict[str, Place]:
    """Where adapters go: behind every block of a stage that is a list of blocks, else behind the stage.

    x: a few samples at the cut, to see what comes out. Blocks are modules of one class, with parts and
    parameters, in one list, such as the layers of a transformer. Stages without parameters get none. Maps
    have their channels in the first axis after the samples, or in the last where only this leaves them as
    high as wide; tokens and vectors in the last.

    >>> from regraft.backbones import small_convnet
    >>> phi = small_convnet((16, 16), "grey", width=4)
    >>> places_of(phi, torch.zeros(2, 1, 16, 16))
    {'0': (1, 4), '1': (1, 8), '2': (1, 16), '3': (1, 32)}
    """
    blocks = set(_blocks(backbone.stages))
    seen: dict[str, Place] = {}
    watched = [*blocks, *(str(i) for i in range(len(backbone)))]

    def note(path: str, out: Any) -> None:
        if isinstance(out, Tensor) and out.is_floating_point() and 2 <= out.ndim <= 4:
            axis = _channels(out)
            seen[path] = (axis, out.shape[axis])

    hooks = [
        part_at(backbone, path).register_forward_hook(lambda m, given, out, path=path: note(path, out))
        for path in watched
    ]
    try:
        with torch.no_grad():
            backbone.eval()(x)  # in training mode BatchNorm would count these samples
    finally:
        for hook in hooks:
            hook.remove()
    places: dict[str, Place] = {}
    for i, stage in enumerate(backbone.stages):
        inside = sorted((path for path in blocks & set(seen) if path.startswith(f"{i}.")), key=_in_order)
        own = [str(i)] if any(True for _ in stage.parameters()) and str(i) in seen else []
        places |= {path: seen[path] for path in inside or own}
    return places


def _blocks(stages: nn.Module) -> list[str]:
    """The paths of modules that repeat in a list, of lists in lists the innermost."""
    found: list[str] = []
    for path, parts in stages.named_modules():
        if not path or not isinstance(parts, (nn.Sequential, nn.ModuleList)):
            continue
        whole = [
            (name, part)
            for name, part in parts.named_children()
            if any(True for _ in part.children()) and any(True for _ in part.parameters())
        ]
        of_class = Counter(type(part) for _, part in whole)
        found += [f"{path}.{name}" for name, part in whole if of_class[type(part)] > 1]
    return [path for path in found if not any(other.startswith(f"{path}.") for other in found)]


def _channels(z: Tensor) -> int:
    """The axis of the channels."""
    if z.ndim == 4:
        last = z.shape[1] == z.shape[2] != z.shape[3]
        return -1 if last else 1
    return -1 if z.ndim == 3 else 1


def _in_order(path: str) -> list[tuple[int, str]]:
    return [(int(step), "") if step.isdigit() else (0, step) for step in path.split(".")]
