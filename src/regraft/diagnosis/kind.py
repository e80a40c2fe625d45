"""What kind of shift explains how two domains differ."""

from dataclasses import dataclass, field
from typing import Any, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from ..domain import Domain
from ..heads.principal import principal
from ..methods.both_sides import effective_samples
from ..output import Classes
from .hypotheses import FAR, NOTICED, Explanation, Seen

Kind = Literal["none", "mapping", "proportions", "sampling", "subspace", "unknown", "hidden"]

ROUGHLY = 4.0  # z up to which a map is let pass: its moments were fitted to few samples
MOST = 0.8  # of the gap, that an explanation leaves little of
GONE, MASS = 0.12, 0.2  # so little left of so much of the source: that was rather mapped elsewhere
NARROW = 8  # dimensions; in more there is nearly always a direction along which two domains agree
PART = 0.5  # of the source, that a target drawn unevenly from it looks like at the most
LEAST = 20  # samples that weighting has to leave
FAMILIES: dict[Kind, frozenset[str]] = {
    "mapping": frozenset({"alignment", "transport"}),
    "proportions": frozenset({"label shift"}),
    "sampling": frozenset({"reweighting"}),
    "subspace": frozenset({"subspace"}),
}
TOLD: dict[Kind, str] = {
    "none": "no shift can be told by the features",
    "mapping": "the target is the source with other means and scales",
    "proportions": "the classes are the same and their proportions moved",
    "sampling": "the target is a part of the source, unevenly drawn",
    "subspace": "the domains agree along a direction that tells the classes apart, and nowhere else",
    "unknown": "no simple kind of shift explains the difference",
    "hidden": "no sample of the source is left to tell the kind of shift by",
}
MOVED = "the proportions of the classes moved, so that maps of one domain onto the other would mix classes"
UNEXPLAINED = {
    "label shift": "other proportions of the same classes do not explain the difference",
    "reweighting": "uneven sampling of the source does not explain the difference",
}


@final
@dataclass(frozen=True)
class KindOfShift:
    """What explains how the target differs from the source.

    explanations: of every hypothesis that was tried. proportions: the classes' in the target, by which the
    source's classes, reweighted, look most like it; of the source's names. effective: the share of the source
    that is left when it is weighted to look like the target. Where the source's samples are gone the kind is
    hidden, and nothing could be tried.
    """

    kind: Kind
    explanations: tuple[Explanation, ...]
    proportions: Float[Tensor, " k"] | None = None
    effective: float = 1.0
    names: tuple[str, ...] = field(default=())

    @property
    def right(self) -> frozenset[str]:
        """The families of methods that are made for it; empty where nothing simple explains the shift."""
        return frozenset({"baselines"}) if self.kind == "none" else FAMILIES.get(self.kind, frozenset())

    def blocks(self, family: str) -> str:
        """Why a family may not be taken; empty where it may."""
        if family in UNEXPLAINED:
            return UNEXPLAINED[family] if self.kind == "unknown" else ""
        return MOVED if self.kind == "proportions" else ""

    def against(self, family: str) -> str:
        """Why candidates of a family are not taken where the kind decides; empty where judges do."""
        if blocked := self.blocks(family):
            return blocked
        made_for_it = not self.right or family in self.right
        return "" if made_for_it else f"{family} is not made for this kind of shift"

    @property
    def moved(self) -> Float[Tensor, " k"] | None:
        """The classes' proportions in the target, where these are what moved."""
        return self.proportions if self.kind == "proportions" else None

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        return TOLD[self.kind]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, and what each hypothesis explains of it."""
        told = [self.sentence]
        if self.kind not in ("none", "hidden"):
            whole = self.explanations[0]
            shares = ", ".join(f"{e.name} {100 * max(e.share, 0):.0f} %" for e in self.explanations[1:])
            told.append(
                f"the gap is {whole.gap.z:.0f} standard deviations from chance; of it explain: {shares}"
            )
        if self.kind == "proportions" and self.proportions is not None:
            named = zip(self.names, self.proportions.tolist(), strict=True)
            told.append(f"estimated of the target: {', '.join(f'{n} {100 * p:.0f} %' for n, p in named)}")
        if self.kind == "sampling":
            told.append(f"weighting leaves {100 * self.effective:.0f} % of the source's samples")
        return tuple(f"{one[0].upper()}{one[1:]}." for one in told)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "sentence": self.sentence,
            "explanations": [e.to_json() for e in self.explanations],
            "effective": self.effective,
        }


def kind_of_shift(
    source: Domain, target: Float[Tensor, "m d"], seed: int = 0, *, components: int = 32, most: int = 2000
) -> KindOfShift:
    """Which simple hypothesis explains the difference, told by the source's features and labels and the
    target's features.

    The gap between two distributions is Hotelling's T² on kernel features (`hotelling`, `Bumps`). Every
    hypothesis changes the source as it says: not at all; by a map of means, of one scale, of a scale for each
    column, of the covariance; by the classes' proportions; by density ratios. What gap is left tells whether
    it holds. Tried in the order of how much they assume, so that the simplest that fits is taken:

    1. nothing, if the gap itself is chance;
    2. a map and moved proportions; where both fit, moved proportions, unless a simple map fits better by one
       standard deviation, or a map fits as well and a class would have vanished;
    3. uneven sampling, if density ratios explain four fifths and leave 20 samples, rather than a map of the
       covariance where the target looks like less than half of the source;
    4. in a few dimensions a shared direction, found on one half of the samples, along which on the other half
       the domains do not differ and most of the classes can be told;
    5. otherwise it is unknown, which is the rule for features of photographs.

    components: principal components of all features that are looked at. most: samples of each domain.

    >>> luck = torch.Generator().manual_seed(0)
    >>> y = torch.arange(300) % 2
    >>> x = torch.randn(300, 2, generator=luck) + 4 * y[:, None]
    >>> lab, fewer_of_one = Domain(x, y.tolist()), x[(torch.arange(300) % 6 < 3) | (y == 0)]
    >>> kind_of_shift(lab, x * 2 + 3).kind, kind_of_shift(lab, fewer_of_one).kind
    ('mapping', 'proportions')
    """
    luck = torch.Generator().manual_seed(seed)
    assert isinstance(source.x, Tensor)
    rows, others = (torch.randperm(n, generator=luck)[:most] for n in (len(source), len(target)))
    space = principal([source.x, target], components)
    k = source.classes.width if isinstance(source.output, Classes) else 0
    seen = Seen(space(source.x[rows]), space(target[others]), source.labels[rows] if k else None, k, seed)
    whole = seen.whole()
    if whole.z < NOTICED:
        return KindOfShift("none", (Explanation("no change", whole, 0.0),))
    found = {e.name: e for e in seen.explanations(whole)}
    proportions, gone = None, False
    if k:
        proportions, ratio = seen.proportions()
        gone = float(seen.prior[ratio < GONE].sum()) >= MASS
    effective = effective_samples(seen.ratio()) / len(rows)
    kind = _kind(found, gone, effective, len(rows))
    if kind == "unknown" and k and space.weight.shape[0] <= NARROW:
        found["shared direction"], keeps = seen.along_a_direction(whole)
        if keeps and found["shared direction"].fits:
            kind = "subspace"
    names = source.classes.names if k else ()
    return KindOfShift(kind, tuple(found.values()), proportions, effective, names)


def _kind(found: dict[str, Explanation], gone: bool, effective: float, n: int) -> Kind:
    simple = next((found[m] for m in ("mean", "scale") if found[m].gap.z < ROUGHLY), None)
    map_ = simple or next((found[m] for m in ("scales", "covariance") if found[m].gap.z < ROUGHLY), None)
    labels, sampling = found.get("proportions"), found["sampling"]
    drawn = sampling.share >= MOST and effective * n >= LEAST and sampling.gap.z < FAR
    if labels is not None and labels.fits:
        better = simple is not None and simple.gap.z < labels.gap.z - 1
        as_good = map_ is not None and map_.gap.z < labels.gap.z + 2
        return "mapping" if better or (gone and as_good) else "proportions"
    if simple is not None:
        return "mapping"
    if map_ is not None and not (drawn and effective < PART and sampling.share >= map_.share - 0.1):
        return "mapping"
    return "sampling" if drawn else "unknown"
