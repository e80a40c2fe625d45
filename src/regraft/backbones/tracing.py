"""A network written down as the list of what it computes, in the order in which it does."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, final

import torch
from torch import Tensor, fx, nn

Forward = Callable[[Any, Tensor], Any]


@final
class Whole(nn.Module):
    """x ↦ forward(net, x): a network that is run in a given way, and is not cut."""

    def __init__(self, net: nn.Module, forward: Forward) -> None:
        super().__init__()
        self.net = net
        self.run = forward

    def forward(self, x: Tensor) -> Any:
        return self.run(self.net, x)


@final
class InMode(nn.Module):
    """A function such as dropout, called with training=True in training and with False elsewhere."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Any, **options: Any) -> Tensor:
        return self.function(*inputs, **options, training=self.training)


@final
class _Tracer(fx.Tracer):
    """Looks only into the modules whose parameters are of several groups."""

    def __init__(self, net: nn.Module, groups: dict[int, Hashable], closed: set[nn.Module]) -> None:
        super().__init__(param_shapes_constant=True)
        self.net, self.groups, self.closed = net, groups, closed
        self.failed: nn.Module | None = None

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if m is self.net:
            return False
        return m in self.closed or len({self.groups.get(id(p)) for p in m.parameters()}) <= 1

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        try:
            return super().call_module(m, forward, args, kwargs)
        except Exception:
            self.failed = self.failed or m
            raise


@dataclass(frozen=True)
class Trace:
    """The nodes in the order in which they run, from the input to the output.

    parts: the modules and tensors that nodes refer to, by path.
    held: the identities of the parameters and buffers that each node uses.
    last_use: the position of the last node that takes what this one gives.
    """

    nodes: list[fx.Node]
    parts: dict[str, Any]
    held: list[list[int]]
    last_use: list[int]

    @classmethod
    def of(cls, graph: fx.Graph, parts: dict[str, Any]) -> "Trace":
        nodes = list(graph.nodes)
        position = {node: i for i, node in enumerate(nodes)}
        used = [parts[n.target] if n.op in ("call_module", "get_attr") else None for n in nodes]
        last_use = [max((position[user] for user in node.users), default=-1) for node in nodes]
        return cls(nodes, parts, [_identities(part) for part in used], last_use)

    def run(self, sample: Tensor) -> Any:
        """What the nodes give for a sample; they remember the shapes."""
        try:
            return _Run(fx.GraphModule(self.parts, self.nodes[0].graph)).run(sample)
        # what runs as written need not run node by node, such as a list that is changed in place
        except Exception:
            return None

    def is_a_map(self) -> bool:
        """Whether one tensor of samples goes in and one comes out."""
        return bool(self.crossing(1) and self.crossing(len(self.nodes) - 1))

    def crossing(self, p: int) -> fx.Node | None:
        """What is alive just before node p, if it is one tensor of samples and no weight is used twice."""
        alive = [i for i in range(p) if self.last_use[i] >= p]
        before = {t for held in self.held[:p] for t in held}
        if len(alive) != 1 or any(t in before for held in self.held[p:] for t in held):
            return None
        shape, given = (self.nodes[i].meta.get("shape") for i in (alive[0], 0))
        return self.nodes[alive[0]] if shape and given and shape[0] == given[0] else None

    def stage(self, start: int, stop: int) -> fx.GraphModule:
        """The nodes from start to before stop."""
        given, result = self.crossing(start), self.crossing(stop)
        assert given is not None
        assert result is not None
        graph = fx.Graph()
        copied = {given: graph.placeholder("x")}
        for node in self.nodes[start:stop]:
            copied[node] = graph.node_copy(node, copied.__getitem__)
        graph.output(copied[result])
        return fx.GraphModule(self.parts, graph)


@final
class _Run(fx.Interpreter):
    """Runs the nodes, and notes the shape of every tensor."""

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        n.meta["shape"] = result.shape if isinstance(result, Tensor) else None
        return result


def follow(whole: Whole, group_of: Mapping[str, Hashable]) -> Trace | None:
    """The network as torch.fx sees it, or None. Modules that it cannot look into are closed, one by one."""
    net = whole.net
    groups = {id(p): group_of.get(name) for name, p in net.named_parameters()}
    closed: set[nn.Module] = set()
    while True:
        tracer = _Tracer(net, groups, closed)
        graphs = []
        try:
            for training in (False, True):
                # tensors made while tracing are put into the root, so each trace has its own
                root = Whole(net, whole.run).train(training)
                graphs.append((tracer.trace(root), root))
        # whatever a module raises when it is given a proxy, it cannot be looked into
        except Exception:
            if tracer.failed is None or tracer.failed is net:
                return None
            closed.add(tracer.failed)
        else:
            return _in_both_modes(*graphs)
        finally:
            net.eval()


def _in_both_modes(evaluated: tuple[fx.Graph, Whole], trained: tuple[fx.Graph, Whole]) -> Trace | None:
    """The trace for either mode, or None where more than a `training` flag depends on the mode."""
    graph, whole = evaluated
    parts: dict[str, Any] = {}
    if len(graph.nodes) != len(trained[0].nodes):
        return None
    for node, other in zip(list(graph.nodes), list(trained[0].nodes), strict=True):
        if node.format_node() != other.format_node():
            if _without_flag(node) != _without_flag(other):
                return None
            function, node.op, node.target = node.target, "call_module", f"{node.name}_in_mode"
            parts[node.target] = InMode(function).eval()
            node.kwargs = {key: value for key, value in node.kwargs.items() if key != "training"}
        elif node.op in ("call_module", "get_attr"):
            part, again = (_at(root, node.target) for root in (whole, trained[1]))
            # a tensor made while tracing: it is a constant only if it comes out the same again
            if part is not again and not torch.equal(part, again):
                return None
            node.target = node.target.removeprefix("net.")
            parts[node.target] = part
    return Trace.of(graph, parts)


def _without_flag(node: fx.Node) -> object:
    """A function's call but for its `training` flag; anything else is only like itself."""
    if node.op != "call_function" or "training" not in node.kwargs:
        return node
    return (node.target, str(node.args), str({**node.kwargs, "training": None}))


def _at(root: Any, path: str) -> Any:
    return reduce(getattr, path.split("."), root)


def _identities(part: Any) -> list[int]:
    tensors = [*part.parameters(), *part.buffers()] if isinstance(part, nn.Module) else [part]
    return [id(t) for t in tensors if t is not None]
