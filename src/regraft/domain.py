"""Samples from one distribution, and what is known about them."""

import hashlib
import json
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from .errors import InputError
from .output import Classes, Output, classes_of
from .output.classes import listed, one_column
from .samples import as_samples, describe, digests


@dataclass(frozen=True, eq=False)
class Domain:
    """A sample from one distribution P(x, y), or from several told apart by `origin`.

    x: n samples: an array or tensor (float vectors n × d, uint8 images n × h × w or n × h × w × 3),
        strings, or samples a reader made (`read_images`, `read_table`, `read_texts`).
    y: n labels of any kind that has a name; None where they are unknown.
    output: the kind of answer y is; read off the labels when it is not given.
    observed: where single entries of y are known. weight: the importance of each sample.
    origin: which of several sources a sample came from. group: what folds never split.
    views: k changed copies of each sample, n × k × …, to draw from in training (`features.behind`).
    left_out: samples that could not be read, each with its reason.
    group_names: what the groups are called, where they were given by name: group holds positions in it.

    Lists and arrays become tensors: y, origin and group of whole numbers, weight of float32.
    A mini-batch of a domain is a domain, and class labels are matched by name:

    >>> d = Domain([[0.0], [1.0], [2.0]], ["owl", "crow", "owl"])
    >>> d.output.names, d.y.tolist()
    (('crow', 'owl'), [1, 0, 1])
    >>> len(d[[0, 2]])
    2
    >>> d.unlabelled().y is None
    True
    """

    x: Any
    y: Any = None
    output: Output | None = None
    observed: Bool[Tensor, "n ..."] | None = None
    weight: Any = None
    origin: Any = None
    group: Any = None
    views: Shaped[Tensor, "n k ..."] | None = None
    left_out: tuple[tuple[str, str], ...] = ()
    group_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "x", as_samples(self.x))
        if self.y is not None:
            output, y = self.output, self.y
            if output is None:
                output, y = classes_of(listed(one_column(y)))
            for name, value in zip(("output", "y", "observed"), output.read(y, self.observed), strict=True):
                put(self, name, value)
        if self.group is not None and not isinstance(self.group, Tensor):
            put(self, "group_names", tuple(map(str, dict.fromkeys(listed(self.group)))))
            put(self, "group", _positions(self.group))
        if self.origin is not None and not isinstance(self.origin, Tensor):
            put(self, "origin", _positions(self.origin))
        if self.weight is not None and not isinstance(self.weight, Tensor):
            put(self, "weight", torch.as_tensor(self.weight, dtype=torch.float32))
        for name, column in self.columns().items():
            if len(column) != len(self.x):
                raise InputError(
                    f"Domain.{name} has {len(column)} rows and x has {len(self.x)}: give one for each sample"
                )

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Any) -> "Domain":
        """The same domain restricted to `rows`."""
        if isinstance(rows, slice):
            rows = torch.arange(len(self))[rows]
        if not isinstance(rows, Tensor):
            rows = torch.as_tensor(rows, dtype=None if len(rows) else torch.long)
        if rows.dtype == torch.bool:
            rows = rows.nonzero().squeeze(1)
        picked: dict[str, Any] = {name: column[rows] for name, column in self.columns().items()}
        return replace(self, x=self.x[rows], **picked)

    def __str__(self) -> str:
        asked = "unlabelled" if self.y is None or self.output is None else self.output.describe()
        return f"{describe(self.x)}, {asked}"

    def with_(self, **changes: Any) -> "Domain":
        return replace(self, **changes)

    def unlabelled(self) -> "Domain":
        """The same samples without anything that is known of their labels."""
        return replace(self, y=None, output=None, observed=None)

    @property
    def asked(self) -> Output:
        """The output, where the samples have to be labelled."""
        if self.y is None or self.output is None:
            raise InputError("this domain has no labels: give y, one label for each sample")
        return self.output

    @property
    def classes(self) -> Classes:
        """The output, where it has to be classes."""
        if self.y is None or not isinstance(self.output, Classes):
            raise InputError("this domain has no class labels: give y, one label for each sample")
        return self.output

    @property
    def labels(self) -> Shaped[Tensor, "n ..."]:
        """y, where it has to be there."""
        if self.y is None:
            raise InputError("this domain has no labels: give y, one label for each sample")
        known: Tensor = self.y
        return known

    @property
    def strata(self) -> Int[Tensor, " n"]:
        """What folds have to have on both sides: the class of each sample, where there are classes."""
        return self.asked.strata(self.labels)

    def fingerprint(self) -> str:
        """SHA-256 of what the samples hold and of their labels, whatever their order and their names.

        It is that of the sorted lines "digest label": the 16 bytes of each file's or row's BLAKE2b in
        hexadecimal, and the label as JSON, null where it is unknown; where single entries are unknown, with
        which are known beside it.

        >>> d = Domain([[0.0], [1.0]], ["owl", "crow"])
        >>> d.fingerprint() == d[[1, 0]].fingerprint() != d.unlabelled().fingerprint()
        True
        """
        labels: list[Any] = [None] * len(self)
        if self.y is not None and self.output is not None:
            labels = self.output.decode(self.y)
        if self.observed is not None:
            labels = list(zip(labels, self.observed.tolist(), strict=True))
        told = zip(digests(self.x), labels, strict=True)
        lines = sorted(f"{digest.hex()} {json.dumps(label)}\n" for digest, label in told)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def columns(self) -> dict[str, Shaped[Tensor, "n ..."]]:
        """What is known of each sample, by name."""
        columns = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: c for name, c in columns.items() if name != "x" and isinstance(c, Tensor)}


def _positions(values: Any) -> Int[Tensor, " n"]:
    """Any hashable values as whole numbers, equal where the values are equal."""
    position: dict[Any, int] = {}
    return torch.tensor([position.setdefault(v, len(position)) for v in listed(values)], dtype=torch.long)
