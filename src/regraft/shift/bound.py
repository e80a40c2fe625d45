"""The bound of Ben-David et al. with its pieces, where both domains have labels."""

from dataclasses import dataclass
from typing import Any, final

import torch

from ..domain import Domain
from ..output import Classes
from ..selection.intervals import Interval, share
from .apart import Apart, told_apart_by_pairs
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


def bound(source: Domain, target: Domain, apart: Apart, seed: int) -> Bound | None:
    """error_t(h) ≤ error_s(h) + ½ d_HΔH + λ (Ben-David et al., Machine Learning 79, 2010, theorem 2)

    H are linear classifiers of the features, the same for all pieces. ½ d_HΔH is the largest difference of
    how often two of them disagree in the domains: the discrepancy distance of the 0–1 loss. It is a maximum
    that is approached from below, λ a minimum from above, and the theorem is about two classes (pairs of
    classifiers of more have larger regions in which they disagree), so the sum is an estimate of the bound
    and no guarantee. Classes are matched by name. None where the source or both together have too few
    samples of their classes to hold any out.

    >>> from regraft.shift.apart import told_apart
    >>> x = torch.linspace(-1, 1, 40)[:, None]
    >>> lab = Domain(x, ["low" if v < 0 else "high" for v in x])
    >>> same = bound(lab, lab, told_apart(lab, lab, seed=0), seed=0)
    >>> same.total.value < 0.2
    True
    """
    names = tuple(sorted({*_present(source), *_present(target)}))
    classes = Classes(names)
    s, t = (d.with_(y=classes.encode(d.classes.decode(d.labels)), output=classes) for d in (source, target))
    if len(_present(source)) < 2 or int((classes.counts(s.labels) > 1).sum()) < 1:
        return None
    own = probed(s, seed)
    if not own.judged.any():
        return None
    wrong = (own.scores.argmax(1) != s.labels)[own.judged].double()
    group = None if s.group is None else s.group[own.judged]
    source_error = share(wrong, torch.zeros_like(s.labels[own.judged]), group, own.overlap)

    side = torch.cat([torch.zeros(len(s)), torch.ones(len(t))]).long()
    grouped = s.group is not None and t.group is not None
    both = Domain(
        torch.cat([s.x, t.x]),
        torch.cat([s.labels, t.labels]),
        classes,
        group=torch.cat([s.group, t.group]) if grouped else None,
    )
    learned = probed(both, seed, evenly(side))
    rows = learned.judged
    if not (rows & (side == 0)).any() or not (rows & (side == 1)).any():
        return None
    missed = (learned.scores.argmax(1) != both.labels)[rows].double()
    mean = share(missed, side[rows], None if both.group is None else both.group[rows], learned.overlap)
    joint = Interval(2 * mean.value, 2 * mean.low, 2 * mean.high)  # a mean over two sides, and λ is their sum

    said = linear(own.whole, t.x.double()).argmax(1)
    target_error = share((said != t.labels).double(), torch.zeros_like(t.labels), t.group)
    pairs = told_apart_by_pairs(source, target, apart, seed)
    disc = max(apart.discrepancy, pairs, key=lambda found: found.value)
    return Bound(source_error, disc, joint, target_error)


def _present(domain: Domain) -> list[str]:
    counts = domain.classes.counts(domain.labels).tolist()
    return [name for name, n in zip(domain.classes.names, counts, strict=True) if n]
