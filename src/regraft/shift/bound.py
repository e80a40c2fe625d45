"""The bound of Ben-David et al. with its pieces, where both domains have labels."""

from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..domain import Domain
from ..intervals import Interval, share
from ..output import Classes
from .apart import Apart, together, told_apart_by_pairs
from .probe import evenly, linear, probed


@final
@dataclass(frozen=True)
class Bound:
    """error_target ≤ error_source + disc + λ, every piece as an estimate with its interval.

    source: the held-out error, on the source, of a linear classifier that learned there. disc: how far
    the disagreement of two linear classifiers may differ between the domains, the larger of the estimates
    by single ones and by pairs. joint: λ = min_h error_source(h) + error_target(h), by one classifier that
    learns from both. target: the error on the target that the bound is about, measured since it can be.

    >>> found = Bound(*(Interval(v, v - 0.02, v + 0.03) for v in (0.1, 0.3, 0.2, 0.35)))
    >>> str(found.total), found.vacuous
    ('0.60 [0.54, 0.69]', False)
    """

    source: Interval
    disc: Interval
    joint: Interval
    target: Interval

    @property
    def total(self) -> Interval:
        """The sum of the pieces; its ends are the sums of theirs."""
        pieces = (self.source, self.disc, self.joint)
        return Interval(*(sum(getattr(p, end) for p in pieces) for end in ("value", "low", "high")))

    @property
    def vacuous(self) -> bool:
        """Whether it allows every error there is."""
        return self.total.value >= 1

    def sentence(self, source: str, target: str) -> str:
        said = (
            f"The bound of Ben-David et al. for what learned on {source}: the error on {target} is at most "
            f"{self.total} = {self.source} on {source} + {self.disc} discrepancy + {self.joint} for the best "
            f"classifier of both (λ)"
        )
        ends = ", which is vacuous, for no error is above 1" if self.vacuous else ""
        return f"{said}{ends}. Measured on {target}: {self.target}."

    def to_json(self) -> dict[str, Any]:
        pieces = ("source", "disc", "joint", "total", "target")
        return {**{name: getattr(self, name).to_json() for name in pieces}, "vacuous": self.vacuous}


def bounds(s: Domain, t: Domain, apart: Apart, seed: int) -> tuple[Bound, Bound] | None:
    """error_t(h) ≤ error_s(h) + ½ d_HΔH + λ, from the first to the second and back

    Ben-David et al., A theory of learning from different domains, Machine Learning 79, 2010, theorem 2.

    H are linear classifiers of the features, the same for all pieces. ½ d_HΔH is the largest difference of
    how often two of them disagree in the domains: the discrepancy distance of the 0–1 loss. It is a maximum
    that is approached from below, λ a minimum from above, and the theorem is about two classes (pairs of
    classifiers of more have larger regions in which they disagree), so the sum is an estimate of the bound
    and no guarantee. Classes are matched by name. None where one of the two has no two classes
    with two samples each.

    >>> from regraft.shift.apart import told_apart
    >>> x = torch.linspace(-1, 1, 40)[:, None]
    >>> lab = Domain(x, ["low" if v < 0 else "high" for v in x])
    >>> same, _ = bounds(lab, lab, told_apart(lab, lab, seed=0), seed=0)
    >>> same.total.value < 0.2
    True
    """
    classes = Classes(tuple(sorted({*_present(s), *_present(t)})))
    s, t = (d.with_(y=classes.encode(d.classes.decode(d.labels)), output=classes) for d in (s, t))
    if any(int((classes.counts(d.labels) > 1).sum()) < 2 for d in (s, t)):
        return None
    joint = _joint(s, t, seed)
    disc = max(apart.discrepancy, told_apart_by_pairs(s, t, apart, seed), key=lambda found: found.value)
    return _towards(s, t, disc, joint, seed), _towards(t, s, disc, joint, seed)


def _towards(source: Domain, target: Domain, disc: Interval, joint: Interval, seed: int) -> Bound:
    own = probed(source, seed)
    there = linear(own.whole, target.x.double())
    everything = torch.ones(len(target), dtype=torch.bool)
    return Bound(
        _error(own.scores, source, own.judged, own.overlap),
        disc,
        joint,
        _error(there, target, everything, 0.0),
    )


def _joint(s: Domain, t: Domain, seed: int) -> Interval:
    """λ: the held-out errors of one classifier on the two sides, which weigh the same, added up."""
    side = together(s, t)
    both = side.with_(y=torch.cat([s.labels, t.labels]), output=s.asked)
    found = probed(both, seed, evenly(side.labels))
    rows = found.judged
    wrong = (found.scores.argmax(1) != both.labels)[rows].double()
    mean = share(wrong, side.labels[rows], None if both.group is None else both.group[rows], found.overlap)
    return Interval(2 * mean.value, 2 * mean.low, 2 * mean.high)


def _error(
    scores: Float[Tensor, "n k"], labelled: Domain, rows: Bool[Tensor, " n"], overlap: float
) -> Interval:
    wrong = (scores.argmax(1) != labelled.labels)[rows].double()
    group = None if labelled.group is None else labelled.group[rows]
    return share(wrong, torch.zeros(len(wrong), dtype=torch.long), group, overlap)


def _present(domain: Domain) -> list[str]:
    counts = domain.classes.counts(domain.labels).tolist()
    return [name for name, n in zip(domain.classes.names, counts, strict=True) if n]
