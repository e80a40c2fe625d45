"""Weights of one network for another, whatever their names, and never silently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import torch
from torch import Tensor, nn

from ..errors import InputError
from .conversion import converted
from .report import Moved, TransferReport, count


@torch.no_grad()
def transfer_weights(
    source: nn.Module | Mapping[str, Tensor],
    target: nn.Module,
    *,
    source_classes: Sequence[str] = (),
    target_classes: Sequence[str] = (),
) -> TransferReport:
    """Set what can be set of the target's parameters and statistics from the source, in place.

    Tensors are matched by name, with or without the path of what holds the network ("net.conv1.weight" is
    "conv1.weight", if nothing else can be meant); what is left, by order: the longest runs of tensors of the
    same kind (weight, bias, running mean …) and shape, one after the other, as the same architecture has them
    under other names; what then lies between the same neighbours, in pairs. Where shapes differ they are
    converted (`surgery.conversion`) or left. With the names of the classes of both, rows of the last linear
    layer go to the class of the same name, and the others stay as they are.

    source: a module or a state dict. Raises InputError where nothing of the source fits.
    Map: M09. Yosinski et al. 2014 (what to copy); Chen, Goodfellow & Shlens, Net2Net, ICLR 2016.

    >>> small = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4, 2))
    >>> grey = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4, 3))
    >>> old, new = ["owl", "crow"], ["emu", "owl", "kiwi"]
    >>> print(transfer_weights(small, grey, source_classes=old, target_classes=new))
    45 of 55 parameters (82 %) were set: 1 tensors copied, 3 converted
    converted: 0.weight → 0.weight by name, colours: 4×3×3×3 → 4×1×3×3
    converted: 2.weight → 2.weight by name, rows of owl: 2×4 → 3×4
    converted: 2.bias → 2.bias by name, rows of owl: 2 → 3
    """
    given = dict(source.state_dict() if isinstance(source, nn.Module) else source)
    wanted = target.state_dict()
    pairs = _matched(given, wanted)
    rows = _Rows.of(wanted, source_classes, target_classes)
    first = next((name for name, value in wanted.items() if value.ndim == 4), "")
    copied: list[Moved] = []
    changed: list[Moved] = []
    for name, (origin, how) in pairs.items():
        value, into = given[origin], wanted[name]
        if name in rows.tensors and value.shape[1:] == into.shape[1:]:
            found = rows.moved(value, into)
        else:
            found = converted(name, value, tuple(into.shape), name == first)
        if found is None:
            continue
        new, conversion = found
        set_numbers = count(tuple(into.shape))
        if name in rows.tensors and conversion:
            set_numbers = set_numbers // len(rows.target) * len(rows.shared)
        into.copy_(new)
        moved = Moved(name, origin, how, tuple(into.shape), tuple(value.shape), set_numbers, conversion)
        (changed if conversion else copied).append(moved)
    if given and not copied and not changed:
        raise InputError(
            f"nothing of the source's {len(given)} tensors fits one of the target's {len(wanted)}: "
            "these are networks of another kind"
        )
    done = [*copied, *changed]
    parameters = {name: count(tuple(p.shape)) for name, p in target.named_parameters()}
    return TransferReport(
        tuple(copied),
        tuple(changed),
        _without(given, {m.source for m in done}),
        _without(wanted, {m.target for m in done}),
        sum(m.numbers for m in done if m.target in parameters),
        sum(parameters.values()),
    )


def _matched(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, tuple[str, str]]:
    """For each tensor of the target, in its order, the source's and by what it was found."""
    found = {
        name: (name, "name")
        for name, into in wanted.items()
        if name in given and given[name].ndim == into.ndim
    }
    found |= {name: (origin, "name") for name, origin in _held(given, wanted, found).items()}
    taken = {origin for origin, _ in found.values()}
    left = [name for name in given if name not in taken]
    free = [name for name in wanted if name not in found]
    blocks = SequenceMatcher(
        None, [_kind(name, given[name]) for name in left], [_kind(name, wanted[name]) for name in free], False
    )
    for tag, a, b, c, d in blocks.get_opcodes():
        if tag == "equal" or (tag == "replace" and b - a == d - c):
            for origin, name in zip(left[a:b], free[c:d], strict=True):
                if _leaf(origin) == _leaf(name):
                    found[name] = (origin, "order")
    return {name: found[name] for name in wanted if name in found}


def _held(
    given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], found: Mapping[str, tuple[str, str]]
) -> dict[str, str]:
    """For tensors of the target the one of the source whose name is theirs behind a path, or the reverse.

    The longest names choose first, so that "bn2.weight" is left with that of the top and not of a block;
    where two of a shape could be meant, none is.
    """
    left = [name for name in given if name not in {origin for origin, _ in found.values()}]
    ending: dict[str, list[str]] = {}
    for name in left:
        for end in _endings(name):
            ending.setdefault(end, []).append(name)
    held: dict[str, str] = {}
    for name in sorted((n for n in wanted if n not in found), key=lambda n: -n.count(".")):
        shorter = set(_endings(name)) & set(left)
        meant = [
            origin
            for origin in {*ending.get(name, ()), *shorter}
            if origin not in held.values() and given[origin].shape == wanted[name].shape
        ]
        if len(meant) == 1:
            held[name] = meant[0]
    return held


def _endings(name: str) -> list[str]:
    """The name without the first, the first two … parts of its path, as far as that still names a module.

    >>> _endings("net.stem.0.weight")
    ['stem.0.weight']
    """
    parts = name.split(".")
    ends = [parts[i:] for i in range(1, len(parts) - 1)]
    return [".".join(end) for end in ends if not all(part.isdigit() for part in end[:-1])]


def _kind(name: str, value: Tensor) -> tuple[str, tuple[int, ...]]:
    return _leaf(name), tuple(value.shape)


def _leaf(name: str) -> str:
    return name.rsplit(".", 1)[-1]


@dataclass(frozen=True)
class _Rows:
    """The rows of a classifier, by the names of the classes."""

    tensors: frozenset[str]
    source: tuple[str, ...]
    target: tuple[str, ...]

    @classmethod
    def of(cls, wanted: Mapping[str, Tensor], source: Sequence[str], target: Sequence[str]) -> "_Rows":
        if not source or not target:
            return cls(frozenset(), (), ())
        last = [
            n for n, v in wanted.items() if _leaf(n) == "weight" and v.ndim == 2 and len(v) == len(target)
        ]
        owner = last[-1].rsplit(".", 1)[0] if last else None
        tensors = {n for n in wanted if owner is not None and n.rsplit(".", 1)[0] == owner}
        return cls(frozenset(tensors), tuple(source), tuple(target))

    @property
    def shared(self) -> list[str]:
        return [name for name in self.target if name in self.source]

    def moved(self, value: Tensor, into: Tensor) -> tuple[Tensor, str] | None:
        """The rows of shared classes in their new places, the others as they are."""
        if len(value) != len(self.source) or not self.shared:
            return None
        if self.source == self.target:
            return value, ""
        new = into.clone()
        for name in self.shared:
            new[self.target.index(name)] = value[self.source.index(name)]
        told = ", ".join(self.shared[:3]) + ", …" * (len(self.shared) > 3)
        return new, f"rows of {told}"


def _without(tensors: Mapping[str, Tensor], done: set[str]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple((name, tuple(value.shape)) for name, value in tensors.items() if name not in done)
