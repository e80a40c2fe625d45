"""How many samples there are of each class."""

from collections.abc import Iterator

from ..domain import Domain
from ..output import Classes
from ..samples import sample_names
from ..text import counted
from .findings import Finding, Sample

UNEQUAL, LOPSIDED = 3, 10  # how many times the largest class is the smallest


def balance(name: str, domain: Domain) -> Iterator[Finding]:
    """Classes with a single sample, which cannot be judged, and classes of very different sizes.

    >>> birds = Domain([[float(i)] for i in range(41)], ["owl"] * 38 + ["crow"] * 2 + ["emu"])
    >>> for finding in balance("birds", birds):
    ...     print(finding)
    warning: birds: 1 class with a single sample (emu), trained on and not judged: add samples [40]
    warning: birds: classes from 1 (emu) to 38 (owl), so that always saying owl scores 0.93: compare by \
balanced accuracy
    """
    if domain.y is None or not isinstance(domain.output, Classes):
        return
    names, counts = domain.output.names, domain.output.counts(domain.labels)
    single = (counts == 1).nonzero().squeeze(1).tolist()
    if single:
        rows = [int((domain.labels == i).nonzero()) for i in single]
        called = sample_names(domain.x)
        listed = ", ".join(names[i] for i in single[:5]) + ", …" * (len(single) > 5)
        yield Finding(
            "single examples",
            "warning",
            f"{name}: {counted(len(single), 'class', 'classes')} with a single sample ({listed}), "
            "trained on and not judged: add samples",
            tuple((Sample(name, row, called[row]),) for row in rows),
        )
    there = counts.nonzero().squeeze(1)
    if len(there) < 2:
        return
    least, most = int(there[counts[there].argmin()]), int(counts.argmax())
    ratio = int(counts[most]) / int(counts[least])
    if ratio >= UNEQUAL:
        yield Finding(
            "imbalance",
            "warning" if ratio >= LOPSIDED else "note",
            f"{name}: classes from {int(counts[least])} ({names[least]}) to {int(counts[most])} "
            f"({names[most]}), so that always saying {names[most]} scores "
            f"{int(counts[most]) / len(domain):.2f}: compare by balanced accuracy",
        )
