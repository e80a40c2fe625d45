"""A network cut into the stages it runs through, with exactly one tensor crossing each cut."""

from collections.abc import Hashable, Mapping
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from .tracing import Forward, Trace, Whole, follow

Stages = list[tuple[str, nn.Module]]


def _call(net: nn.Module, x: Tensor) -> Any:
    return net(x)


def cut(net: nn.Module, sample: Tensor, group_of: Mapping[str, Hashable], forward: Forward = _call) -> Stages:
    """Stages with stage_L(… stage_1(x)) = forward(net, x), in the order in which they run.

    sample: two or more prepared inputs, on which the chain is compared with the whole.
    group_of: the group of each parameter, by name; the parameters of one group are trained together.

    A stage begins where a group is first used, if exactly one tensor, with a row for each sample, is
    alive there; otherwise the group joins the stage before it. So does a group of scales and shifts only.
    What has no parameters belongs to the stage whose output it takes. A module that torch.fx cannot look
    into is taken as a block, and a network that it cannot follow, or that does otherwise once it is cut,
    stays one stage. The stages share the network's modules.

    >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> group_of = {"0.weight": 1, "0.bias": 1, "2.weight": 2, "2.bias": 2}
    >>> first, second = cut(net, torch.rand(5, 3), group_of)
    >>> first[0], second[0], second[1](torch.ones(1, 4)).shape
    ('0', '2', torch.Size([1, 2]))
    """
    group_of = {name: group_of.get(name) for name, _ in net.named_parameters()}
    modes = {module: module.training for module in net.modules()}
    whole = Whole(net, forward).eval()
    stages = _checked(whole, sample, group_of) or [("whole", whole)]
    for module in {*modes, *(module for _, stage in stages for module in stage.modules())}:
        module.training = modes.get(module, modes[net])
    return stages


def by_child(net: nn.Module) -> dict[str, str]:
    """Each parameter in the group of the network's part that it lies in.

    A list of parts that holds most of the network is taken apart.

    >>> body = nn.Sequential(nn.Linear(9, 9, bias=False), nn.Linear(9, 9, bias=False))
    >>> by_child(nn.ModuleDict({"body": body, "top": nn.Linear(9, 1, bias=False)}))
    {'body.0.weight': 'body.0', 'body.1.weight': 'body.1', 'top.weight': 'top'}
    """
    size = {name: sum(p.numel() for p in part.parameters()) for name, part in net.named_children()}
    lists = {name for name, part in net.named_children() if isinstance(part, (nn.Sequential, nn.ModuleList))}
    apart = {name for name in lists if 2 * size[name] > sum(size.values())}
    paths = {name: name.split(".") for name, _ in net.named_parameters()}
    return {name: ".".join(path[: 2 if path[0] in apart else 1]) for name, path in paths.items()}


@torch.no_grad()
def _checked(whole: Whole, sample: Tensor, group_of: Mapping[str, Hashable]) -> Stages:
    """The stages, or none where they cannot be told or are not the whole."""
    trace = follow(whole, group_of)
    # each run has its own copy of the input, as networks may begin with an operation in place
    if trace is None or not _close(trace.run(sample.clone()), whole(sample.clone())) or not trace.is_a_map():
        return []
    stages = _stages(whole.net, trace, group_of)
    other = _other(whole, sample)
    chained = reduce(lambda x, stage: stage[1](x), stages, other.clone())
    return stages if _close(chained, whole(other.clone())) else []


def _stages(net: nn.Module, trace: Trace, group_of: Mapping[str, Hashable]) -> Stages:
    """The nodes in consecutive runs, each beginning with groups that were not used before."""
    group = {id(p): group_of.get(name) for name, p in net.named_parameters()}
    weighty = {group[id(p)] for p in net.parameters() if p.ndim > 1}
    starts, members = [1], list[list[Hashable]]([[]])
    seen, last = set[Hashable](), 1
    for i, held in enumerate(trace.held):
        new = [g for g in dict.fromkeys(group[t] for t in held if t in group) if g in weighty - seen]
        if new:
            possible = [p for p in range(i, last, -1) if trace.crossing(p)]
            if members[-1] and possible:
                starts.append(possible[0])
                members.append([])
            members[-1] += new
            seen.update(new)
        if held:
            last = i
    names = [_name(groups, group_of, first=k == 0) for k, groups in enumerate(members)]
    stops = [*starts[1:], len(trace.nodes) - 1]
    return [(name, trace.stage(*run)) for name, *run in zip(names, starts, stops, strict=True)]


def _name(groups: list[Hashable], group_of: Mapping[str, Hashable], first: bool) -> str:
    """The path of a stage's parameters, as far as it tells them from those of others."""
    if not groups:
        return "whole"
    named = list[str]()
    for group in dict.fromkeys((groups[0], groups[-1])):
        own = [name for name, g in group_of.items() if g == group]
        others = [name for name, g in group_of.items() if g != group]
        path = own[0].split(".")
        prefixes = [".".join(path[:k]) for k in range(1, len(path))]
        unshared = [p for p in prefixes if not any(name.startswith(f"{p}.") for name in others)]
        several = len({name.split(".")[0] for name in own}) > 1
        named.append("stem" if first and several and not named else [*unshared, own[0]][0])
    return " to ".join(named)


def _close(z: Any, expected: Any) -> bool:
    if not isinstance(z, Tensor) or not isinstance(expected, Tensor) or z.shape != expected.shape:
        return False
    return torch.allclose(z, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def _other(whole: nn.Module, sample: Tensor) -> Tensor:
    """A single sample, and a smaller image if the network takes it: no size is to be baked in."""
    smaller = [max(side // 2, min(side, 32)) for side in sample.shape[2:]]
    try:
        whole(sample[(slice(1), slice(None), *map(slice, smaller))].clone())
    # a network of a fixed size may raise anything
    except Exception:
        return sample[:1]
    return sample[(slice(1), slice(None), *map(slice, smaller))]
