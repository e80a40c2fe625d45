"""Wider and deeper networks that compute what the narrow and shallow ones did."""

from typing import TypeVar, overload

import torch
from torch import Tensor, nn

from ..errors import InputError

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)
Norm = nn.BatchNorm1d | nn.BatchNorm2d


@torch.no_grad()
def widened(
    first: Layer, second: nn.Linear | nn.Conv2d, width: int, norm: Norm | None = None, seed: int = 0
) -> tuple[Layer, nn.Linear | nn.Conv2d, Norm | None]:
    """Two layers with more units between them, and the BatchNorm there: together the same function.

    Units g(j) drawn from the old ones are added: U₁[j] = W₁[g(j)], and the weights that leave a unit are
    divided by how often it is now there, U₂[:, j] = W₂[:, g(j)] / |{l : g(l) = g(j)}|. What is between the
    two has to work unit by unit (activation, BatchNorm, pooling, flattening behind convolutions).
    Chen, Goodfellow & Shlens, Net2Net, ICLR 2016, arXiv:1511.05641. Map: M09.

    >>> first, second, x = nn.Linear(3, 4), nn.Linear(4, 2), torch.randn(5, 3)
    >>> wide, after, _ = widened(first, second, 7)
    >>> torch.allclose(after(wide(x).relu()), second(first(x).relu()), atol=1e-5)
    True
    """
    old = first.weight.shape[0]
    if width < old:
        raise InputError(f"{width} units are fewer than the {old} that there are: give a larger width")
    inputs = second.weight.shape[1]
    if inputs % old or (isinstance(second, nn.Conv2d) and (inputs != old or second.groups != 1)):
        raise InputError(f"the second layer takes {inputs} inputs, not those of {old} units: give the next")
    if isinstance(first, nn.Conv2d) and first.groups != 1:
        raise InputError("a convolution in groups cannot be widened: give one without groups")
    luck = torch.Generator().manual_seed(seed)
    chosen = torch.cat([torch.arange(old), torch.randint(old, (width - old,), generator=luck)])
    times = torch.bincount(chosen, minlength=old)[chosen].to(second.weight.dtype)
    each = inputs // old  # numbers that flattening makes of one unit
    columns = (chosen[:, None] * each + torch.arange(each)).flatten()
    weight: Tensor = second.weight[:, columns]
    shape = (1, -1, *[1] * (weight.ndim - 2))
    after = _like(second, weight / times.repeat_interleave(each).reshape(shape), second.bias)
    wide = _like(first, first.weight[chosen], None if first.bias is None else first.bias[chosen])
    return wide, after, None if norm is None else _norm_of(norm, chosen)


@torch.no_grad()
def deepened(layer: Layer) -> Layer:
    """A layer that gives what it gets, to be put behind this one and its activation: the same function.

    A linear layer becomes the identity, a convolution one that passes every channel on (odd kernels of the
    same size, padded). It holds behind an activation a with a(a(x)) = a(x), such as ReLU.
    Chen, Goodfellow & Shlens, Net2Net, ICLR 2016, arXiv:1511.05641. Map: M09.

    >>> layer, x = nn.Conv2d(3, 4, 3), torch.randn(2, 3, 8, 8)
    >>> before = layer(x).relu()
    >>> torch.allclose(deepened(layer)(before).relu(), before, atol=1e-5)
    True
    """
    width = layer.weight.shape[0]
    if isinstance(layer, nn.Linear):
        same: nn.Linear | nn.Conv2d = nn.Linear(width, width)
        same.weight.copy_(torch.eye(width))
    else:
        size = layer.kernel_size
        if any(n % 2 == 0 for n in size):
            raise InputError(f"a kernel of {size[0]}×{size[1]} has no middle: only odd ones pass pictures on")
        same = nn.Conv2d(width, width, (size[0], size[1]), padding=(size[0] // 2, size[1] // 2))
        nn.init.dirac_(same.weight)
    assert same.bias is not None
    same.bias.zero_()
    return same.to(layer.weight)  # type: ignore[return-value]


def _norm_of(norm: Norm, chosen: Tensor) -> Norm:
    made = type(norm)(len(chosen), norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    made.load_state_dict({k: v[chosen] if v.ndim else v for k, v in norm.state_dict().items()})
    return made.train(norm.training)


@overload
def _like(layer: nn.Linear, weight: Tensor, bias: Tensor | None) -> nn.Linear: ...


@overload
def _like(layer: nn.Conv2d, weight: Tensor, bias: Tensor | None) -> nn.Conv2d: ...


def _like(layer: nn.Linear | nn.Conv2d, weight: Tensor, bias: Tensor | None) -> nn.Linear | nn.Conv2d:
    if isinstance(layer, nn.Linear):
        made: nn.Linear | nn.Conv2d = nn.Linear(weight.shape[1], weight.shape[0], bias is not None)
    else:
        made = nn.Conv2d(
            weight.shape[1] * layer.groups,
            weight.shape[0],
            layer.kernel_size,  # type: ignore[arg-type]
            layer.stride,  # type: ignore[arg-type]
            layer.padding,  # type: ignore[arg-type]
            layer.dilation,  # type: ignore[arg-type]
            layer.groups,
            bias is not None,
            layer.padding_mode,
        )
    made.weight.copy_(weight)
    if bias is not None and made.bias is not None:
        made.bias.copy_(bias)
    return made.to(layer.weight)
