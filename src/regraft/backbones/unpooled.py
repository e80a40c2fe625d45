"""A stage up to its last map, where it goes on to pool it into a vector."""

from collections.abc import Sequence

import torch
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp


@torch.no_grad()
def unpooled(stage: nn.Module, x: Tensor) -> nn.Module | None:
    """The part of a stage that ends in its last map (n × c × h × w, of more than one place).

    x: what the stage takes. The stage itself where it puts out a map, and None where no map can be found:
    the parts of an `nn.Sequential` and the nodes of a traced graph are looked through, other modules are not.
    The modules are shared.

    >>> stage = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> unpooled(stage, torch.rand(2, 3, 9, 9))(torch.rand(2, 3, 9, 9)).shape
    torch.Size([2, 8, 7, 7])
    >>> unpooled(nn.Flatten(), torch.rand(2, 3, 9, 9)) is None
    True
    """
    if is_map(stage(x)):
        return stage
    if isinstance(stage, fx.GraphModule):
        return _graph_to_map(stage, x)
    found = None
    before: list[nn.Module] = []
    for part in stage if isinstance(stage, nn.Sequential) else ():
        last = unpooled(part, x)
        if last is not None:
            found = nn.Sequential(*before, last)
        x = part(x)
        before.append(part)
    return found


def is_map(z: object) -> bool:
    """Whether it is n × c × h × w, with more than one place."""
    return isinstance(z, Tensor) and z.ndim == 4 and z.shape[2] * z.shape[3] > 1


def _graph_to_map(stage: fx.GraphModule, x: Tensor) -> fx.GraphModule | None:
    """The nodes up to the last one that gives a map."""
    ShapeProp(stage).propagate(x)
    graph, copied, last = fx.Graph(), dict[fx.Node, fx.Node](), None
    for node in stage.graph.nodes:
        if node.op == "output":
            break
        copied[node] = graph.node_copy(node, copied.__getitem__)
        shape: Sequence[int] = getattr(node.meta.get("tensor_meta"), "shape", ())
        if node.op != "placeholder" and len(shape) == 4 and shape[2] * shape[3] > 1:
            last = node
    if last is None:
        return None
    graph.output(copied[last])
    made = fx.GraphModule(stage, graph)
    graph.eliminate_dead_code()
    made.recompile()
    made.delete_all_unused_submodules()
    return made
