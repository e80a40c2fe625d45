"""Any number of domains, measured against one another."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations, permutations

import torch
from jaxtyping import Int
from torch import Tensor

from ..backbone import Backbone
from ..backbones import open_backbone
from ..domain import Domain
from ..engine import one_thread
from ..errors import InputError
from ..features import Store, embed
from ..heads.principal import principal
from ..method import SMALL
from ..methods.both_sides import bounded, effective_samples
from ..methods.reweighting.discriminative import ratio
from ..output import Classes
from ..pooling import joined
from ..readers.tables import Table
from ..samples import Samples, describe, digests, is_images, kind_of
from ..seeds import seed_of
from ..text import counted
from ..training import Training
from .apart import mmd_test, told_apart
from .bound import bounds
from .columns import Column, columns_of
from .differences import differences
from .labels import label_shift
from .shift import Pair, Shift, Way

MOST = 2000  # samples of a domain that are looked at
LEAST = 10
COMPONENTS = 64  # principal components of two domains, in which they are told apart
WEIGHED = 32  # of which tell densities, as in `methods.reweighting`
LARGEST = 20.0  # weight, in units of the mean one


def measure_shift(
    domains: Mapping[str, Domain],
    backbone: Backbone | None = None,
    *,
    store: Store | None = None,
    training: Training | None = None,
) -> Shift:
    """How far apart domains are, what differs, and what that allows to say of errors.

    domains: two or more, by name, with samples of one kind; of each at most 2,000 are drawn. Labels of every
    domain that has them are used: pass `domain.unlabelled()` where they must not be. From a labelled domain
    to every other one class frequencies are estimated; between labelled ones the bound is.
    backbone: whose features are compared, in the first 64 principal components of each pair; without one,
    what is the default for such samples. Columns are standardised over all domains together.

    >>> luck = torch.Generator().manual_seed(0)
    >>> x = torch.randn(120, 3, generator=luck)
    >>> moved = Domain(x[80:] + torch.tensor([3.0, 0.0, 0.0]))
    >>> found = measure_shift({"lab": Domain(x[:40]), "again": Domain(x[40:80]), "field": moved})
    >>> found.pair("lab", "field").apart.discrepancy.low > found.pair("lab", "again").apart.discrepancy.value
    True
    >>> found.pair("lab", "field").differences[0].noun
    'column 0'
    """
    _check(domains)
    training = training or Training()
    drawn = {name: _drawn(domain, training.seed) for name, domain in domains.items()}
    network = backbone or open_backbone(domain=next(iter(domains.values())))
    raw = _alike(drawn)
    if not network.preprocessing.fitted:
        network = network.prepared_by(network.preprocessing.fit(_joined(raw)))
    units = _units(drawn)
    seen: dict[str, Domain] = {}
    columns: dict[str, list[Column]] = {}
    for name, domain in raw.items():
        flat = embed(network, domain, store, training.engine, training.progress).x.flatten(1).double()
        if len(seen) and flat.shape[1] != next(iter(seen.values())).x.shape[1]:
            raise InputError(
                f"{name} gives other features than {next(iter(seen))}: give pictures of one size"
            )
        seen[name] = Domain(flat, domain.y, domain.output, group=None if units is None else units[name])
        columns[name] = columns_of(domain, training.progress)
    pairs: dict[tuple[str, str], Pair] = {}
    ways: dict[tuple[str, str], Way] = {}
    with training.progress.track("comparing domains", len(seen) * (len(seen) - 1) // 2) as task:
        for one, other in combinations(seen, 2):
            with one_thread(small=seen[one].x.numel() + seen[other].x.numel() < 4 * SMALL):
                pair, there, back = _compared(seen[one], seen[other], columns[one], columns[other], training)
            pairs[one, other] = replace(pair, shared=_in_both(drawn[one], drawn[other]))
            ways[one, other], ways[other, one] = there, back
            task.advance()
    return Shift(
        names=tuple(domains),
        told={name: str(domain) for name, domain in domains.items()},
        looked_at={name: len(domain) for name, domain in drawn.items()},
        network=network.name,
        things={"images": "pictures", "table": "rows", "texts": "texts"}.get(
            kind_of(next(iter(raw.values())).x), "vectors"
        ),
        pairs=pairs,
        ways={key: ways[key] for key in permutations(seen, 2)},
    )


def _compared(
    s: Domain, t: Domain, columns_s: list[Column], columns_t: list[Column], training: Training
) -> tuple[Pair, Way, Way]:
    space = principal([s.x, t.x], COMPONENTS)
    s, t = s.with_(x=space(s.x)), t.with_(x=space(t.x))
    apart = told_apart(s, t, training.seed)
    mmd2, p = mmd_test(s, t, training.seed)
    differ = differences(columns_s, columns_t, s.group, t.group)
    both = bounds(s, t, apart, training.seed) if _labelled(s) and _labelled(t) else None
    ways = []
    for i, (source, target) in enumerate(((s, t), (t, s))):
        few = [side.x[:, :WEIGHED] for side in (source, target)]
        weight = bounded(ratio(*few, squares=True, seed=training.seed), LARGEST)
        ways.append(
            Way(
                effective=effective_samples(weight),
                of=len(source),
                labels=label_shift(source, target, training.seed) if _labelled(source) else None,
                bound=None if both is None else both[i],
            )
        )
    return Pair(apart, mmd2, p, tuple(differ)), ways[0], ways[1]


def _check(domains: Mapping[str, Domain]) -> None:
    if len(domains) < 2:
        raise InputError(f"{counted(len(domains), 'domain')} given: give two or more to compare")
    first, *others = domains
    for name, domain in domains.items():
        if len(domain) < LEAST:
            raise InputError(
                f"{name} has {counted(len(domain), 'sample')}: give {LEAST} or more to tell how it differs"
            )
        if domain.group is not None and len(domain.group.unique()) < 2:
            raise InputError(
                f"all samples of {name} are of one group, and groups are held out as wholes: give two groups"
            )
    for name in others:
        a, b = domains[first].x, domains[name].x
        if kind_of(a) != kind_of(b):
            raise InputError(
                f"{first} holds {describe(a)} and {name} {describe(b)}: give samples of one kind"
            )
        if isinstance(a, Table) and isinstance(b, Table) and set(a.columns) != set(b.columns):
            odd = sorted(set(a.columns) ^ set(b.columns))
            raise InputError(
                f"{first} and {name} have other columns ({', '.join(map(repr, odd[:5]))} in one alone): "
                "give tables with the same columns"
            )
        if (
            isinstance(a, Tensor)
            and isinstance(b, Tensor)
            and not is_images(a)
            and a.shape[1:] != b.shape[1:]
        ):
            raise InputError(
                f"{first} holds {describe(a)} and {name} {describe(b)}: give as many columns in each"
            )


def _drawn(domain: Domain, seed: int) -> Domain:
    domain = domain.with_(views=None)
    if len(domain) <= MOST:
        return domain
    luck = torch.Generator().manual_seed(seed_of(seed, "drawn"))
    return domain[torch.randperm(len(domain), generator=luck)[:MOST].sort().values]


def _alike(domains: Mapping[str, Domain]) -> dict[str, Domain]:
    """Tables with their columns in one order and of one kind, told from all of them."""
    tables = [domain.x for domain in domains.values()]
    if not isinstance(tables[0], Table):
        return dict(domains)
    columns = tables[0].columns
    rows = [list(zip(*(t.column(name) for name in columns), strict=True)) for t in tables]
    numeric = Table(columns, [row for some in rows for row in some]).numeric
    return {
        name: domain.with_(x=Table(columns, some, numeric, domain.x.numbers))
        for (name, domain), some in zip(domains.items(), rows, strict=True)
    }


def _joined(domains: Mapping[str, Domain]) -> Tensor | Samples:
    several = [domain.x for domain in domains.values()]
    if isinstance(several[0], Table):
        return Table(several[0].columns, [row for t in several for row in t.rows], several[0].numeric)
    return joined(several)


def _units(domains: Mapping[str, Domain]) -> dict[str, Int[Tensor, " n"]] | None:
    """What is held out together: groups, of any domain by name, and samples that are equal byte for byte."""
    number: dict[object, int] = {}
    units = {}
    for name, domain in domains.items():
        keys: list[object] = [digest for digest in digests(domain.x)]
        if domain.group is not None:
            group = domain.group.tolist()
            keys = [domain.group_names[g] if domain.group_names else (name, g) for g in group]
        units[name] = torch.tensor([number.setdefault(key, len(number)) for key in keys])
    return None if len(number) == sum(map(len, domains.values())) else units


def _in_both(s: Domain, t: Domain) -> int:
    """How many samples of the first are in the second, byte for byte."""
    there = set(digests(t.x))
    return sum(digest in there for digest in digests(s.x))


def _labelled(domain: Domain) -> bool:
    return domain.y is not None and isinstance(domain.output, Classes)
