"""Several sources as one domain."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .class_names import same_classes
from .domain import Domain
from .errors import InputError
from .output import Classes
from .samples import Samples, describe
from .text import some_of


def pooled(domains: Mapping[str, Domain]) -> Domain:
    """Labelled domains as one, in which `origin` tells which of them a sample came from, in that order.

    Class labels are matched by name, and a class of any of them is a class of all. Groups of one domain are
    none of another's; what has no group is one by itself where others have some, and what has no weight has
    weight 1. Raises InputError for answers that are no classes, and for samples that do not go together.

    >>> lab = Domain([[0.0], [1.0]], ["owl", "crow"])
    >>> both = pooled({"lab": lab, "field": Domain([[2.0]], ["emu"])})
    >>> both.output.names, both.y.tolist(), both.origin.tolist()
    (('crow', 'emu', 'owl'), [2, 0, 1], [0, 0, 1])
    """
    if not domains:
        raise InputError("no domains were given: give at least one")
    parts = list(domains.values())
    if len(parts) == 1:
        return parts[0]
    names = tuple(sorted({name for part in parts for name in part.classes.names}))
    y = [torch.tensor([names.index(n) for n in part.classes.names])[part.labels] for part in parts]
    origin = torch.cat([torch.full((len(part),), i) for i, part in enumerate(parts)])
    left_out = [(f"{name}: {one}", why) for name, part in domains.items() for one, why in part.left_out]
    return Domain(
        joined([part.x for part in parts]),
        torch.cat(y),
        Classes(names),
        origin=origin,
        group=_groups(parts),
        weight=_weights(parts),
        left_out=tuple(left_out),
    )


def of_classes(source: Domain, classes: Classes) -> Domain:
    """The samples of a source that are of one of these classes, labelled as they are.

    Classes are matched by name (`same_classes`); samples of other classes are left out. Raises InputError
    where nothing is left.

    >>> lab = Domain([[0.0], [1.0], [2.0]], ["Owl", "crow", "emu"])
    >>> some = of_classes(lab, Classes(("crow", "jay", "owl")))
    >>> some.y.tolist(), some.x.flatten().tolist()
    ([2, 0], [0.0, 1.0])
    """
    position = torch.full((source.classes.width,), -1)
    for name, theirs in same_classes(source.classes.names, classes.names).items():
        position[list(theirs)] = classes.names.index(name)
    y = position[source.labels]
    kept = (y >= 0).nonzero().squeeze(1)
    if not len(kept):
        raise InputError(
            f"the source has samples of {some_of(source.classes.names)}, and the target of "
            f"{some_of(classes.names)}: name the classes that are the same alike"
        )
    return source[kept].with_(y=y[kept], output=classes)


def joined(parts: Sequence[Tensor | Samples]) -> Tensor | Samples:
    """The samples of several parts, one after the other; they have to be of one kind.

    >>> joined([torch.zeros(2, 3), torch.ones(1, 3)]).shape
    torch.Size([3, 3])
    """
    first, *others = parts
    alike = [type(part) is type(first) for part in others]
    if isinstance(first, Tensor) and all(alike):
        tensors = [part for part in parts if isinstance(part, Tensor)]
        if len({(part.shape[1:], part.is_floating_point()) for part in tensors}) == 1:
            return torch.cat(tensors)
    join: Any = getattr(first, "joined", None)
    if join is not None and all(alike):
        together: Samples = join(others)
        return together
    told = " and ".join(dict.fromkeys(describe(part) for part in parts))
    raise InputError(f"{told} are no samples of one kind: give domains of one kind")


def common_root(roots: Sequence[Path]) -> Path:
    """The lowest folder that holds all of them.

    >>> common_root([Path("a/lab"), Path("a/field")]).name
    'a'
    """
    return Path(os.path.commonpath([root.absolute() for root in roots]))


def _groups(parts: Sequence[Domain]) -> Int[Tensor, " n"] | None:
    if all(part.group is None for part in parts):
        return None
    found, used = [], 0
    for part in parts:
        own = torch.arange(len(part)) if part.group is None else part.group.unique(return_inverse=True)[1]
        found.append(own + used)
        used += int(own.max()) + 1 if len(own) else 0
    return torch.cat(found)


def _weights(parts: Sequence[Domain]) -> Float[Tensor, " n"] | None:
    if all(part.weight is None for part in parts):
        return None
    return torch.cat([torch.ones(len(part)) if part.weight is None else part.weight for part in parts])
