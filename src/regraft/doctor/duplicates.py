"""Samples that are there more than once: within a side, across sides, under different labels."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import final

import numpy as np
import torch
from jaxtyping import Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from ..backbones import pixels
from ..domain import Domain
from ..errors import InputError
from ..output import Classes
from ..readers.decoding import THUMBNAIL
from ..readers.tables import Table
from ..samples import Samples, digests, kind_of, sample_names
from ..text import counted
from .findings import Finding, Level, Sample
from .likeness import near_copies

Families = dict[int, list[Sample]]
THINGS = {"images": "picture", "vectors": "vector", "sparse": "vector", "table": "row", "texts": "text"}


@final
@dataclass(frozen=True, eq=False)
class Copies:
    """Which samples of several sides are copies of one another.

    bytes: for each side a number for each sample, equal where the samples are equal byte for byte.
    family: likewise where they are equal or, as pictures, near copies (`near_copies`), in one or more steps.

    Copied pictures are no accident: nobody takes the same photo twice, so a copy in the other part of a split
    is a leak. Of arrays smaller than 32×32 pixels, which are all much alike, only equal ones count. Rows of
    numbers or of categories can be equal and independent (whoever notes age, sex and ward has twins in any
    hospital), so of these only the equal ones are found; they are reported, and no fold changes for them.

    >>> sides = {"train": Domain([[1.0], [2.0], [1.0]]), "test": Domain([[2.0]])}
    >>> [family.tolist() for family in Copies.among(sides).family.values()]
    [[0, 1, 0], [1]]
    """

    sides: Mapping[str, Domain]
    bytes: Mapping[str, Int[Tensor, " n"]]
    family: Mapping[str, Int[Tensor, " n"]]

    @classmethod
    def among(cls, sides: Mapping[str, Domain]) -> "Copies":
        """Look for them; of pictures in files, what readers keep of them is enough."""
        lengths = [len(domain) for domain in sides.values()]
        number: dict[bytes, int] = {}
        kinds = [digest for x in _comparable(sides) for digest in digests(x)]
        same = torch.tensor([number.setdefault(digest, len(number)) for digest in kinds], dtype=torch.long)
        first = torch.zeros(len(number), dtype=torch.long)
        first[same.flip(0)] = torch.arange(len(same)).flip(0)
        family = _connected(first[_near(sides, first)], same)
        return cls(
            sides,
            dict(zip(sides, same.split(lengths), strict=True)),
            dict(zip(sides, family.split(lengths), strict=True)),
        )

    def findings(self) -> Iterator[Finding]:
        """What there is to say of them."""
        for name in self.sides:
            yield from self._within(name)
        for one, other in combinations(self.sides, 2):
            yield from self._across(one, other)
        yield from self._contradictions()

    def joined(self, side: str) -> Domain:
        """The side with copies in one group, together with the groups that they are in; the same domain
        where there is nothing to join.

        >>> photo = torch.randint(0, 256, (3, 40, 40, 3), dtype=torch.uint8)
        >>> photos = Domain(photo[[0, 1, 0, 2]], group=["roll 1", "roll 2", "roll 3", "roll 2"])
        >>> Copies.among({"photos": photos}).joined("photos").group.tolist()
        [0, 1, 0, 1]
        """
        domain, family = self.sides[side], self.family[side]
        if kind_of(domain.x) != "images" or len(family.unique()) == len(family):
            return domain
        if domain.group is not None:
            first = torch.zeros(int(domain.group.max()) + 1, dtype=torch.long)
            first[domain.group.flip(0)] = torch.arange(len(domain)).flip(0)
            family = _connected(torch.stack([first[domain.group], torch.arange(len(domain))], 1), family)
        return domain.with_(group=family.unique(return_inverse=True)[1], group_names=())

    def copied(self, of: str, among: str) -> Int[Tensor, " m"]:
        """The rows of one side that have a copy on the other."""
        return torch.isin(self.family[of], self.family[among]).nonzero().squeeze(1)

    def _within(self, name: str) -> Iterator[Finding]:
        domain = self.sides[name]
        kind = kind_of(domain.x)
        level: Level = "warning" if kind == "images" else "note"
        advice = "keep one of each; no fold parts them" if kind == "images" else "no harm if by chance"
        exact = [f for f in self._families(self.bytes, name).values() if len(f) > 1]
        if exact:
            thing = counted(sum(map(len, exact)), THINGS[kind])
            yield Finding(
                "duplicates",
                level,
                f"{name}: {thing} equal byte for byte to another, {len(exact)} different: {advice}",
                tuple(map(tuple, exact)),
            )
        near = [
            f
            for f in self._families(self.family, name).values()
            if len({int(self.bytes[name][s.row]) for s in f if s.row is not None}) > 1
        ]
        if near:
            yield Finding(
                "near duplicates",
                level,
                f"{name}: {sum(map(len, near))} pictures show {counted(len(near), 'thing')} "
                f"(re-encoded, resized, mirrored or the like): {advice}",
                tuple(map(tuple, near)),
            )

    def _across(self, one: str, other: str) -> Iterator[Finding]:
        here, there = self.sides[one], self.sides[other]
        rows = self.copied(other, one)
        if not len(rows):
            return
        known = {int(n) for n in self.family[other][rows]}
        families = self._families(self.family, one, other)
        kind = kind_of(there.x)
        labelled = here.y is not None and there.y is not None
        level: Level = "note" if not labelled else "problem" if kind == "images" else "warning"
        yield Finding(
            "leak" if labelled else "shared samples",
            level,
            f"{other}: {len(rows)} of {len(there)} {THINGS[kind]}s with a copy in {one}: "
            + (f"leave them out of {other} before it tells how good a model is" if labelled else "mind it"),
            tuple(tuple(families[n]) for n in sorted(known)),
        )

    def _contradictions(self) -> Iterator[Finding]:
        labelled = {name: labels for name, d in self.sides.items() if (labels := _labels(d)) is not None}
        if not labelled:
            return
        torn = []
        for family in self._families(self.family, *labelled).values():
            told = [labelled[s.side][s.row] for s in family if s.row is not None]
            if len(set(told)) > 1:
                torn.append(
                    tuple(Sample(s.side, s.row, s.name, label) for s, label in zip(family, told, strict=True))
                )
        if torn:
            kinds = {kind_of(self.sides[name].x) for name in labelled}
            what = THINGS[kinds.pop()] if len(kinds) == 1 else "sample"
            yield Finding(
                "contradictions",
                "problem" if what == "picture" else "warning",
                f"{counted(len(torn), what)} with copies under different labels: correct the wrong ones",
                tuple(torn),
            )

    def _families(self, by: Mapping[str, Int[Tensor, " n"]], *sides: str) -> Families:
        """The samples of these sides by family, in their order."""
        found: Families = {}
        for name in sides:
            names = sample_names(self.sides[name].x)
            for row, number in enumerate(by[name].tolist()):
                found.setdefault(number, []).append(Sample(name, row, names[row]))
        return found


def _comparable(sides: Mapping[str, Domain]) -> list[Tensor | Samples]:
    """The samples of each side; of tables, the columns that all have."""
    seen = [domain.x for domain in sides.values()]
    tables = [x for x in seen if isinstance(x, Table)]
    if not tables or len(tables) < len(seen):
        return seen
    return [x.only(set.intersection(*(set(table.columns) for table in tables))) for x in tables]


def _by_chance(same: Int[Tensor, " n"], tested: int) -> float:
    """How many of so many samples may equal one of these, given how many of these equal another."""
    _, position, times = same.unique(return_inverse=True, return_counts=True)
    share = float((times[position] > 1).double().mean())
    return tested * (share + 3 * math.sqrt(share * (1 - share) * (1 / len(same) + 1 / tested)))


def unseen(test: Domain, labelled: Domain) -> tuple[Domain, tuple[Finding, ...]]:
    """The test samples that are no copies of labelled ones and of no group of theirs, and what was left out.

    Of vectors and tables only exact copies count. Where some labelled rows are equal to others, rows can be
    equal by chance, and a test without them would be another test: then copies stay, and are told, unless
    they are far more of the test (three standard errors) than there are of such rows among the labelled.
    Raises InputError where nothing is left to test on.

    >>> tested, said = unseen(Domain([[1.0], [2.0]], ["a", "b"]), Domain([[1.0], [3.0]], ["a", "b"]))
    >>> len(tested), said[0].message
    (1, 'left out of the test: 1 of 2 samples, copies of labelled ones')
    """
    copies = Copies.among({"labelled": labelled, "test": test})
    rows = copies.copied("test", "labelled")
    said = []
    if kind_of(test.x) != "images" and 0 < len(rows) <= _by_chance(copies.bytes["labelled"], len(test)):
        what = f"{len(rows)} of {len(test)} samples equal labelled ones, as labelled ones do each other"
        said.append(Finding("copies", "note", f"test: {what}: no harm if by chance"))
        rows = rows[:0]
    shared = groups_in_common(labelled, test)
    for check, why, out in (
        ("leak", "copies of labelled ones", rows),
        ("groups across sides", "of groups that are labelled too", shared),
    ):
        if len(out):
            names = sample_names(test[out].x)
            said.append(
                Finding(
                    check,
                    "problem",
                    f"left out of the test: {len(out)} of {len(test)} samples, {why}",
                    tuple((Sample("test", i, name),) for i, name in zip(out.tolist(), names, strict=True)),
                )
            )
    kept = torch.ones(len(test), dtype=torch.bool)
    kept[torch.cat([rows, shared])] = False
    if not kept.any():
        raise InputError(
            "every test sample is among the labelled ones, or of a group that is: "
            "test on samples that are not fitted"
        )
    return test if kept.all() else test[kept], tuple(said)


def groups_in_common(one: Domain, other: Domain) -> Int[Tensor, " m"]:
    """The rows of `other` whose group is, by its name, also in `one`.

    >>> one, other = Domain([[1.0]], group=["Ann"]), Domain([[2.0], [3.0]], group=["Bob", "Ann"])
    >>> groups_in_common(one, other).tolist()
    [1]
    """
    if one.group is None or other.group is None or bool(one.group_names) != bool(other.group_names):
        return torch.empty(0, dtype=torch.long)
    known = set(_group_names(one))
    return torch.tensor([i for i, name in enumerate(_group_names(other)) if name in known], dtype=torch.long)


def shared_groups(sides: Mapping[str, Domain]) -> Iterator[Finding]:
    """Groups that are on several sides."""
    for (one, here), (other, there) in combinations(sides.items(), 2):
        rows = groups_in_common(here, there)
        if len(rows):
            names = sample_names(there.x)
            yield Finding(
                "groups across sides",
                "problem" if here.y is not None and there.y is not None else "note",
                f"{other}: {len(rows)} of {len(there)} samples are of groups that are in {one} too: "
                f"leave them out of {other} before it tells how good a model is",
                tuple((Sample(other, row, names[row]),) for row in rows.tolist()),
            )


def _group_names(domain: Domain) -> list[str]:
    codes: list[int] = domain.group.tolist()
    return [domain.group_names[code] if domain.group_names else str(code) for code in codes]


def _labels(domain: Domain) -> list[str] | None:
    if domain.y is None or not isinstance(domain.output, Classes):
        return None
    return domain.output.decode(domain.labels)


def _near(sides: Mapping[str, Domain], first: Int[Tensor, " d"]) -> Int[Tensor, "m 2"]:
    """Near copies among the pictures of all sides: pairs of positions in `first`, where each is once."""
    looks, places, start = [], [], 0
    for domain in sides.values():
        within = (first >= start) & (first < start + len(domain))
        if within.any() and _recognisable(domain.x):
            distinct = domain[first[within] - start]
            looks.append(pixels().preprocessing(distinct.x))
            places.append(within.nonzero().squeeze(1))
        start += len(domain)
    if not looks:
        return torch.empty(0, 2, dtype=torch.long)
    return torch.cat(places)[near_copies(torch.cat(looks))]


def _recognisable(x: Tensor | Samples) -> bool:
    """Whether these are pictures with enough in them; arrays smaller than a thumbnail are all much alike."""
    return kind_of(x) == "images" and not (isinstance(x, Tensor) and min(x.shape[1:3]) < THUMBNAIL)


def _connected(pairs: Int[Tensor, "m 2"], number: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """Rows with the same number belong together, and so do the pairs: a number for each whole."""
    n = len(number)
    if not n:
        return number
    at, to = np.concatenate([pairs.numpy(), np.stack([np.arange(n), n + number.numpy()], 1)]).T
    size = n + int(number.max()) + 1
    _, whole = connected_components(coo_array((np.ones(len(at), bool), (at, to)), (size, size)), False)
    return torch.from_numpy(whole[:n].astype(np.int64))
