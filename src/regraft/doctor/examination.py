"""All checks on all sides."""

from collections.abc import Iterator, Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize

from ..domain import Domain
from ..text import counted
from .balance import balance
from .duplicates import Copies, shared_groups
from .findings import Examination, Finding, Sample
from .labels import label_errors, spelling
from .outliers import outliers

Opinion = tuple[Float[Tensor, "n k"], Bool[Tensor, " n"]]


def examine(
    sides: Mapping[str, Domain],
    *,
    copies: Copies | None = None,
    features: Mapping[str, Float[Tensor, "n d"]] | None = None,
    opinions: Mapping[str, Opinion] | None = None,
) -> Examination:
    """What is wrong, or may be, with the samples of every side and with the sides together.

    sides: domains by name, in the order in which they are learned from: of two that share samples, the later
        one is to be cleaned. copies: `Copies.among(sides)`, where that has been found already.
    features: for a side, the samples as a network sees them; without them outliers are looked for among
        vectors alone, by their standardised columns.
    opinions: for a labelled side, (P(class | sample) by models that were fitted without the sample, which
        samples were judged); without them label errors are not looked for.

    Nothing is changed or dropped.

    >>> birds = Domain([[0.0], [1.0], [1.0]], ["owl", "crow", "owl"], left_out=(("4.jpg", "empty file"),))
    >>> for finding in examine({"birds": birds}).findings:
    ...     print(finding.check)
    unreadable
    single examples
    contradictions
    duplicates
    """
    found: list[Finding] = []
    for name, domain in sides.items():
        found += [*_unreadable(name, domain), *spelling(name, domain), *balance(name, domain)]
        if opinions and name in opinions:
            found += label_errors(name, domain, *opinions[name])
        seen = (
            normalize(features[name].flatten(1)) if features and name in features else _standardised(domain)
        )
        if seen is not None:
            found += outliers(name, domain, seen)
    found += (copies or Copies.among(sides)).findings()
    found += shared_groups(sides)
    return Examination({name: str(domain) for name, domain in sides.items()}, tuple(found))


def _unreadable(name: str, domain: Domain) -> Iterator[Finding]:
    if domain.left_out:
        yield Finding(
            "unreadable",
            "warning",
            f"{name}: {counted(len(domain.left_out), 'entry', 'entries')} not used: repair or remove",
            tuple((Sample(name, None, sample, reason),) for sample, reason in domain.left_out),
        )


def _standardised(domain: Domain) -> Float[Tensor, "n d"] | None:
    """Vectors with columns of mean 0 and variance 1."""
    x = domain.x
    if not isinstance(x, Tensor) or x.ndim != 2 or len(x) < 2 or not torch.isfinite(x).all():
        return None
    x = x.double()
    return (x - x.mean(0)) / x.std(0).clamp_min(1e-12)
