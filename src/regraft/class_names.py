"""Which classes of a source and of a target are the same, told by their names."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence


def same_classes(source: Sequence[str], target: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """For each class of the target that the source has, the source's positions of that name.

    Names are compared without regard to Unicode form, case, and what separates words (space, underscore,
    hyphen); plurals are other names. A source's name may list synonyms behind commas, as ImageNet's do. The
    name to the letter goes before the first of the synonyms, and that before the others: with "missile" and
    "projectile, missile" there, a missile is the former. Where one name stands for several classes all their
    positions are given (ImageNet has two cranes), and a class of the source that several of the target claim
    belongs to none, because it tells them not apart.

    >>> same_classes(["great white shark, white shark", "crane", "crane"], ["White_Shark", "crane", "owl"])
    {'White_Shark': (0,), 'crane': (1, 2)}
    >>> same_classes(["ant, emmet"], ["ant", "emmet"])
    {}
    """
    levels: tuple[dict[str, dict[int, None]], ...] = ({}, {}, {})
    exact, first, others = levels
    for i, name in enumerate(source):
        exact.setdefault(name, {})[i] = None
        foremost, *synonyms = name.split(",")
        for spelled in (name, foremost):
            first.setdefault(spelling(spelled), {})[i] = None
        for synonym in synonyms:
            others.setdefault(spelling(synonym), {})[i] = None
    found = {
        name: exact.get(name) or first.get(spelling(name)) or others.get(spelling(name)) for name in target
    }
    claims = Counter(i for rows in found.values() for i in rows or ())
    sole = {name: tuple(i for i in rows or () if claims[i] == 1) for name, rows in found.items()}
    return {name: rows for name, rows in sole.items() if rows}


def spelling(name: str) -> str:
    """A name without what its spellings differ in.

    >>> spelling(" Grand_Piano"), spelling("yin-yang")
    ('grand piano', 'yin yang')
    """
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()
