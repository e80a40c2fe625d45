"""What is to be expected on a domain that nobody has seen: each source is left out in turn."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from scipy.special import stdtrit

from ..backbones import open_backbone
from ..candidates import Candidate
from ..domain import Domain
from ..errors import InputError
from ..features import Store
from ..intervals import Interval
from ..method import Method
from ..methods import method_named
from ..methods.features.probe import probe_of
from ..output import Classes
from ..pooling import pooled
from ..problem import Problem
from ..text import aligned
from ..training import Training
from .budget import Budget
from .entries import Entries, Entry
from .scores import Scores, metric_named, scores_of


@final
@dataclass(frozen=True, eq=False)
class LeftOut:
    """For each candidate the scores on every domain, of a fit to the others; who was left out, and why."""

    domains: tuple[str, ...]
    metric: str
    scores: dict[str, tuple[Scores, ...]]
    left_out: tuple[tuple[str, str], ...] = ()

    def expected(self, name: str) -> Interval:
        """The mean over domains, and Student's interval for it: a further domain is one more of them."""
        return mean_of_domains([one.value(self.metric) for one in self.scores[name]])

    @property
    def winner(self) -> str:
        """The candidate with the highest mean; the first of equal ones."""
        return max(self.scores, key=lambda name: self.expected(name).value)

    def __str__(self) -> str:
        header = ["candidate", *(f"on {name}" for name in self.domains), "expected on an unseen domain"]
        rows = [
            [name, *(f"{one.value(self.metric):.2f}" for one in scores), str(self.expected(name))]
            for name, scores in self.scores.items()
        ]
        named = self.metric.replace("_", " ")
        lines = [aligned(header, rows), f"{named}, leaving one of {len(self.domains)} domains out"]
        return "\n".join([*lines, *(f"Left out: {name}: {reason}." for name, reason in self.left_out)])

    def to_json(self) -> dict[str, Any]:
        return {
            "domains": list(self.domains),
            "metric": self.metric,
            "results": {
                name: {
                    "scores": {d: one.to_json() for d, one in zip(self.domains, scores, strict=True)},
                    "expected": {**self.expected(name).to_json(), "by": "leave one domain out"},
                }
                for name, scores in self.scores.items()
            },
            "left_out": [{"candidate": name, "reason": reason} for name, reason in self.left_out],
        }


def leave_one_domain_out(
    domains: Mapping[str, Domain],
    methods: Sequence[Any] | None = None,
    backbone: Any = None,
    training: Training | None = None,
    *,
    metric: str | None = None,
    budget: float | None = None,
    store: Store | None = None,
) -> LeftOut:
    """Fit every candidate to all labelled domains but one, score it on that one, and do so for each of them.

    methods: names or recipes to try besides the probe of all other domains together, which they have to beat.
    What adapts sees the domain that is left out without its labels; what learns from a labelled target learns
    from the others. backbone: as in `compare`. metric: one of the output's. budget: seconds for training
    networks, of which those are left out that would not fit; None tries all. Samples of classes that no other
    domain has are not counted.

    The interval is that of a mean of so many domains, with the spread between them: of three domains it is
    wide, and rightly so. Choosing the best of many candidates makes its number too high.

    >>> from regraft.backbones import vectors
    >>> x = torch.linspace(-1, 1, 20)[:, None]
    >>> three = {name: Domain(x + move, ["-" if v < 0 else "+" for v in x])
    ...     for name, move in {"a": 0.0, "b": 0.1, "c": -0.1}.items()}
    >>> print(leave_one_domain_out(three, backbone=vectors()))
    candidate              on a  on b  on c  expected on an unseen domain
    ─────────────────────────────────────────────────────────────────────
    LinearProbe (columns)  1.00  0.95  0.95  0.97 [0.89, 1.00]
    accuracy, leaving one of 3 domains out
    """
    if len(domains) < 2:
        raise InputError(f"{len(domains)} domains are given: one is left out, so give at least two")
    together = pooled(domains)
    metric = metric_named(metric, together.asked)
    training, store = training or Training(), store or Store()
    network = open_backbone(backbone, domain=together)
    entries = Entries(Problem(source=together), training, store)
    training, clock = replace(training, engine=entries.engine(network)), Budget(budget)
    recipes: list[Method] = [probe_of(together.asked)]
    recipes += [m if isinstance(m, Method) else method_named(str(m))() for m in methods or ()]
    recipes = list(dict.fromkeys(recipes))
    found: dict[str, tuple[Scores, ...]] = {}
    left_out: list[tuple[str, str]] = []
    for method in recipes:
        candidate = Candidate(method, network, "asked for")
        first, _ = _entry(candidate, together, 0, training, store)
        if reason := clock.too_long(first, len(domains) - 1):
            left_out.append((candidate.name, reason))
            continue
        each = [_scored(candidate, together, one, training, store) for one in range(len(domains))]
        found[_free(candidate.name, found)] = tuple(each)
    return LeftOut(tuple(domains), metric, found, tuple(left_out))


def mean_of_domains(values: Sequence[float]) -> Interval:
    """x̄ ± t s/√k of k domains, inside of [0, 1].

    >>> str(mean_of_domains([0.7, 0.8, 0.9]))
    '0.80 [0.55, 1.00]'
    """
    x = torch.tensor(values, dtype=torch.float64)
    half = float(stdtrit(len(x) - 1, 0.975)) * float(x.std()) / math.sqrt(len(x))
    middle = float(x.mean())
    return Interval(middle, middle - half, middle + half).within(0.0, 1.0)


def _entry(
    candidate: Candidate, together: Domain, one: int, training: Training, store: Store
) -> tuple[Entry, Problem]:
    """The candidate without the domain of that origin, and what it is given."""
    assert together.origin is not None
    out = together.origin == one
    left, rest = together[out], together[~out]
    method = candidate.method
    if rest.origin is not None and len(rest.origin.unique()) == 1:
        rest = rest.with_(origin=None)
    given: dict[str, Any] = {
        "source": rest,
        "target": left.unlabelled().with_(origin=None),
        "target_labelled": rest,
    }
    if {"source", "target_labelled"} <= method.needs or not method.needs <= given.keys():
        raise InputError(
            f"{type(method).__name__} needs {' and '.join(sorted(method.needs))}: of a domain that is left "
            "out there are no labels, and nothing but samples; take another method"
        )
    problem = Problem(**given).only(method.needs)
    return Entry.at_the_cut(candidate, problem, store, training), problem


def _scored(candidate: Candidate, together: Domain, one: int, training: Training, store: Store) -> Scores:
    """The candidate's scores on the domain of that origin, fitted to the others."""
    entry, problem = _entry(candidate, together, one, training, store)
    model = entry.whole(entry.fitted(), problem)
    left, rest = together[together.origin == one], problem.labelled
    known = torch.isin(left.labels, rest.labels)
    if not known.any():
        raise InputError("a domain shares no class with the others: leave it out")
    if isinstance(rest.output, Classes) and len(rest.labels.unique()) < 2:
        raise InputError("without one of the domains a single class is left: nothing is told apart then")
    expected = model.output.expected(model.logits(left.x, store))
    return scores_of(expected[None], left, known)


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """The name, numbered where several recipes of one method are tried."""
    number = 2
    free = name
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free
