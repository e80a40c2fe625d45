"""What differs between two samples, column by column, in plain words."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..intervals import Interval
from .auc import auc, holm, p_value
from .columns import Column, Kinds, Numbers, Words

MOST_KINDS = 12  # of a column of kinds, the most frequent of both sides
MISSING = "not told"


@final
@dataclass(frozen=True)
class Difference:
    """A number or a share that differs between two samples.

    noun: what it is; kind: which kind the share is of, None for a number. first, second: the median of a
    number on each side, or the share. larger: the chance that a sample of the second has a larger number
    than one of the first (of a share, the differing of shares is 2 × larger − 1). beyond: the share of the
    first on the other side of the second's median. p: of the test that neither has larger ones. sure: whether
    it is one of those that stand Holm's correction over all columns.
    """

    words: Words
    kind: str | None
    first: float
    second: float
    larger: Interval
    beyond: float
    p: float
    sure: bool

    @property
    def noun(self) -> str:
        return self.words.noun

    @property
    def size(self) -> float:
        """|2 × larger − 1|: 0 where nothing differs, 1 where nothing overlaps (Cliff's δ)."""
        return abs(2 * self.larger.value - 1)

    def sentence(self, first: str, second: str, things: str) -> str:
        """It in plain words: of what the second is, against the first."""
        if self.kind is not None:
            return (
                f"{self.noun} {self.kind}: {_percent(self.second)} of the {things} of {second}, "
                f"{_percent(self.first)} of {first}"
            )
        words = self.words
        up = self.larger.value > 0.5
        this, other = (words.more, words.less) if up else (words.less, words.more)
        one, two = (f"{v:{words.digits}}" for v in (self.second, self.first))
        return (
            f"{second} {words.verb[0]} {this}: {words.noun} {one} against {two} in the median "
            f"({_tenths(self.beyond)} of the {things} of {first} {words.verb[1]} {other} than the typical "
            f"one of {second})"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "what": self.noun,
            "kind": self.kind,
            "first": self.first,
            "second": self.second,
            "larger": self.larger.to_json(),
            "p": self.p,
            "sure": self.sure,
        }


def differences(
    first: Sequence[Column],
    second: Sequence[Column],
    group_first: Int[Tensor, " n"] | None = None,
    group_second: Int[Tensor, " m"] | None = None,
) -> list[Difference]:
    """Every column's difference, those that are sure first, the larger before the smaller.

    >>> words = Words("size", "larger", "smaller")
    >>> small, large = ([Numbers(words, torch.arange(20.0) + c)] for c in (0.0, 18.0))
    >>> print(differences(small, large)[0].sentence("lab", "field", "rows"))
    field is larger: size 27.00 against 9.00 in the median (all of the rows of lab are smaller than the \
typical one of field)
    """
    found = []
    for words, kind, s, t in _numbered(first, second):
        known_s, known_t = s.isfinite(), t.isfinite()
        if not known_s.any() or not known_t.any():
            continue
        groups = [
            None if group is None else group[known]
            for group, known in ((group_first, known_s), (group_second, known_t))
        ]
        s, t = s[known_s], t[known_t]
        larger = auc(s, t, *groups)
        middle = t.median()
        beyond = (s < middle) if larger.value > 0.5 else (s > middle)
        of = torch.median if kind is None else torch.mean
        ends = (float(of(s)), float(of(t)))
        found.append((words, kind, *ends, larger, float(beyond.double().mean()), p_value(s, t, *groups)))
    sure = holm([each[-1] for each in found])
    told = [Difference(*each, stands) for each, stands in zip(found, sure, strict=True)]
    return sorted(told, key=lambda each: (not each.sure, -each.size))


def _numbered(
    first: Sequence[Column], second: Sequence[Column]
) -> Iterator[tuple[Words, str | None, Float[Tensor, " n"], Float[Tensor, " m"]]]:
    """Numbers as they are, whether one is missing, and of the frequent kinds whether a sample is of it."""
    for s, t in zip(first, second, strict=True):
        if isinstance(s, Numbers) and isinstance(t, Numbers):
            yield s.words, None, s.values, t.values
            gap_s, gap_t = s.values.isnan(), t.values.isnan()
            if gap_s.any() or gap_t.any():
                yield Words(s.words.noun, "", ""), MISSING, gap_s.double(), gap_t.double()
        elif isinstance(s, Kinds) and isinstance(t, Kinds):
            told = [[kind or MISSING for kind in side.values] for side in (s, t)]
            common = [kind for kind, _ in Counter([*told[0], *told[1]]).most_common(MOST_KINDS)]
            if len(common) == 2:  # the rarer tells of both
                common = common[1:]
            for kind in common:
                is_s, is_t = (torch.tensor([one == kind for one in side]).double() for side in told)
                yield Words(s.noun, "", ""), kind, is_s, is_t


def _percent(share: float) -> str:
    """
    >>> _percent(0.123), _percent(0.001), _percent(0.999)
    ('12%', 'less than 1%', 'more than 99%')
    """
    if 0 < share < 0.01:
        return "less than 1%"
    return "more than 99%" if 0.99 < share < 1 else f"{share:.0%}"


def _tenths(share: float) -> str:
    """
    >>> _tenths(0.92), _tenths(1.0), _tenths(0.97)
    ('9 of 10', 'all', 'nearly all')
    """
    if share == 1:
        return "all"
    return "nearly all" if share > 0.95 else f"{10 * share:.0f} of 10"
