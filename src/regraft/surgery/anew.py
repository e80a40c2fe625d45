"""The weights of a network drawn anew, as its layers draw them."""

from torch import nn

from ..errors import InputError


def draw_anew(network: nn.Module) -> None:
    """Every parameter at random, in place, from the global generator; BatchNorm's statistics start over.

    Each layer draws by its own `reset_parameters`, as torch names it. Raises `InputError`, before anything is
    changed, where a parameter belongs to a module without one.

    >>> import torch
    >>> layer = nn.Linear(2, 1)
    >>> before = layer.weight.clone()
    >>> draw_anew(nn.Sequential(layer, nn.ReLU()))
    >>> torch.equal(layer.weight, before)
    False
    """
    drawing, drawn = [], set()
    for module in network.modules():
        if callable(draw := getattr(module, "reset_parameters", None)):
            drawing.append(draw)
            drawn |= {id(p) for p in module.parameters(recurse=False)}
    if left := [name for name, p in network.named_parameters() if id(p) not in drawn]:
        raise InputError(
            f"{', '.join(left[:3])}{' and others' if len(left) > 3 else ''} cannot be drawn anew: "
            "modules that own parameters need reset_parameters; take a network of torch's layers, such as "
            "small_convnet"
        )
    for draw in drawing:
        draw()
