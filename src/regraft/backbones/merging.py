"""What was added to a network, worked into its own weights where that gives the same function."""

import torch
from torch import nn

from ..backbone import Backbone
from .adapted import Adapted, Bottleneck, part_at
from .low_rank import LowRank


def merged(backbone: Backbone) -> Backbone:
    """A copy in which what was added last is part of the weights, as far as it can be.

    Low-rank changes always can, W ← W + s B A, and the network has the structure again that it had before.
    A bottleneck adapter z + U (D z + c) + e can where it stands right behind a linear layer or a convolution
    that has a bias: W ← (I + U D) W and b ← (I + U D) b + U c + e. With an activation it cannot, nor behind
    the sum of a residual block, an activation or a pooling, where no single weight makes what it corrects;
    these adapters stay. What comes out is the same up to rounding, and shares fewer tensors with the network
    that was borrowed: save it whole.

    >>> from regraft.backbones.low_rank import factored
    >>> from regraft.backbones import small_mlp
    >>> phi = small_mlp(3, widths=(4,))
    >>> changed = factored(phi.copied(), {"0.linear": (torch.ones(1, 3), torch.ones(4, 1))}, scale=0.5)
    >>> plain = merged(changed)
    >>> plain.spec == phi.spec, torch.equal(plain(torch.ones(2, 3)), changed(torch.ones(2, 3)))
    (True, True)
    """
    plain = backbone.copied()
    if plain.spec.get("loader") == "low rank":
        for path in plain.spec["ranks"]:
            layer = part_at(plain, path)
            assert isinstance(layer, LowRank)
            with torch.no_grad():
                layer.inner.weight.copy_(layer.weight)
            plain.stages.set_submodule(path, layer.inner)
        plain.spec = plain.spec["of"]
    elif plain.spec.get("loader") == "adapted" and plain.spec["activation"] == "none":
        left: dict[str, list[int]] = {}
        for path, place in plain.spec["places"].items():
            part = part_at(plain, path)
            assert isinstance(part, Adapted)
            before = _last(part.inner)
            if before is None:
                left[path] = place
            else:
                _work_in(part.adapter, before)
                plain.stages.set_submodule(path, part.inner)
        plain.spec = {**plain.spec, "places": left} if left else plain.spec["of"]
    return plain


def _last(part: nn.Module) -> nn.Linear | nn.Conv2d | None:
    """The layer that makes what comes out of a part, if one with a bias does."""
    while type(part) is nn.Sequential and len(part):
        part = part[-1]
    # a kind of its own may do more with its weight than to multiply
    able = (type(part) is nn.Linear or type(part) is nn.Conv2d) and part.bias is not None
    return part if able and isinstance(part, (nn.Linear, nn.Conv2d)) else None


@torch.no_grad()
def _work_in(adapter: Bottleneck, layer: nn.Linear | nn.Conv2d) -> None:
    assert layer.bias is not None
    U, D = adapter.up.weight.double(), adapter.down.weight.double()
    M = torch.eye(len(U), dtype=U.dtype, device=U.device) + U @ D
    shift = U @ adapter.down.bias.double() + adapter.up.bias
    layer.weight.copy_((M @ layer.weight.double().flatten(1)).view_as(layer.weight))
    layer.bias.copy_(M @ layer.bias.double() + shift)
