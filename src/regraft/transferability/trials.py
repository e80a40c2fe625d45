"""What each repeat of the experiment learns from and is tested on."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ..domain import Domain
from ..errors import InputError
from ..folds import Rows, stratified_folds
from ..output import Classes
from ..samples import describe, digests, kind_of
from ..text import counted

FOLDS = 5  # a repeat is tested on one of them; more repeats than that draw new ones
OVERLAP = 1 / (FOLDS - 1)  # test samples over training samples


@dataclass(frozen=True)
class Trial:
    """One repeat: what A and B are, and which of their rows only test; a is None where a network is A."""

    a: Domain | None
    a_test: Rows | None
    b: Domain
    b_test: Rows


def of_pair(source: Domain | None, target: Domain, repeats: int, seed: int) -> Iterator[Trial]:
    """A is the source, B the target; each repeat holds out another fifth of both."""
    for r in range(repeats):
        yield Trial(
            source, None if source is None else _fifth(source, r, seed), target, _fifth(target, r, seed)
        )


def of_halves(whole: Domain, repeats: int, seed: int) -> Iterator[Trial]:
    """A and B are two halves of the classes, drawn again for each repeat; of an odd number B has one more.

    >>> birds = Domain(torch.zeros(20, 1), ["owl", "crow", "emu", "kiwi"] * 5)
    >>> for trial in of_halves(birds, repeats=2, seed=0):
    ...     print(trial.a.classes.names, trial.b.classes.names, len(trial.b_test))
    ('crow', 'emu') ('kiwi', 'owl') 2
    ('emu', 'owl') ('crow', 'kiwi') 2
    """
    k = whole.classes.width
    for r in range(repeats):
        order = torch.randperm(k, generator=torch.Generator().manual_seed(seed_of(seed, r))).tolist()
        a, b = (_of_classes(whole, sorted(part)) for part in (order[: k // 2], order[k // 2 :]))
        yield Trial(a, _fifth(a, r, seed), b, _fifth(b, r, seed))


def seed_of(seed: int, r: int) -> int:
    """The seed of a repeat: no two seeds, which people choose next to each other, share any."""
    return 1000 * seed + r


def check_pair(source: Domain | None, target: Domain) -> None:
    """InputError where A and B cannot be told apart, compared or tested."""
    check_classes(target, "the target", least=2)
    if source is None:
        return
    check_classes(source, "the source", least=2)
    if kind_of(source.x) != kind_of(target.x) or _shape(source) != _shape(target):
        raise InputError(
            f"the source has {describe(source.x)} and the target {describe(target.x)}: one network has to "
            "take both; give samples of one kind and shape"
        )
    if shared := set(digests(source.x)) & set(digests(target.x)):
        raise InputError(
            f"{len(shared)} samples of the source are in the target too, on which A would have been trained "
            "before it is tested: take them out of the source (regraft doctor SOURCE TARGET names them), or "
            "split one set by its classes (--halves)"
        )


def check_classes(domain: Domain, name: str, least: int) -> None:
    """InputError where a domain has fewer classes, or a class fewer samples, than the experiment needs."""
    if domain.classes.width < least:
        raise InputError(
            f"{name} has {counted(domain.classes.width, 'class', 'classes')}, and {least} are needed"
            + (", two for each half" if least == 4 else "")
            + ": give samples of more classes"
        )
    counts = domain.classes.counts(domain.labels).tolist()
    few = [name for name, count in zip(domain.classes.names, counts, strict=True) if count < FOLDS]
    if few:
        raise InputError(
            f"class {few[0]!r} of {name} has fewer than {FOLDS} samples, of which a fifth is to be held out: "
            "give more, or leave the class out"
        )


def _shape(domain: Domain) -> tuple[int, ...] | None:
    """Of a sample; images are brought to one size and may differ."""
    return tuple(domain.x.shape[1:]) if kind_of(domain.x) == "vectors" else None


def _fifth(domain: Domain, r: int, seed: int) -> Rows:
    folds = stratified_folds(domain, FOLDS, seed_of(seed, r // FOLDS))
    if len(folds) < FOLDS:
        raise InputError(f"the samples make {len(folds)} groups, and {FOLDS} are needed: group them less")
    return folds[r % FOLDS]


def _of_classes(whole: Domain, kept: list[int]) -> Domain:
    """The samples of some classes, as a domain that knows no others."""
    part = whole[torch.isin(whole.labels, torch.tensor(kept))]
    names = whole.classes.names
    codes = torch.searchsorted(torch.tensor(kept), part.labels)
    return part.with_(y=codes, output=Classes(tuple(names[c] for c in kept)))
