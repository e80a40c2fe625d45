"""What kind of shift explains how two domains differ."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, final

import torch
from jaxtyping import Float, Int
from scipy.optimize import nnls
from torch import Tensor

from ..domain import Domain
from ..heads.principal import principal
from ..methods.both_sides import effective_samples
from ..methods.features.kernel_probe import KernelProbe
from ..methods.features.linear_probe import LinearProbe
from ..output import Classes
from ..terms.discrepancy import covariance
from ..terms.hotelling import Gap, hotelling, permuted
from ..terms.label_shift import em_priors
from ..terms.symmetric import power
from ..training import Training
from .bumps import Bumps
from .direction import shared_direction
from .importance import least_squares_ratio

Kind = Literal["none", "mapping", "proportions", "sampling", "subspace", "unknown", "hidden"]

NOTICED = 3.0  # z of a gap that is no chance
ROUGHLY = 4.0  # z up to which a map is let pass: its moments were fitted to few samples
FAR = 10.0  # z up to which leaving next to nothing is enough, of samples that show every trifle
ALL, MOST = 0.95, 0.8  # of the gap, that an explanation leaves nothing, or little, of
GONE, MASS = 0.12, 0.2  # so little left of so much of the source: that was rather mapped elsewhere
PER_NUMBER = 20  # samples that a number of a map has to have, to be fitted and tested on the same ones
NARROW = 8  # dimensions; in more there is nearly always a direction along which two domains agree
KEPT = 0.5  # of what the source tells beyond its largest class, that a direction has to keep
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
class Explanation:
    """A hypothesis about the shift: the gap that it leaves, and how much of the whole gap it explains."""

    name: str
    gap: Gap
    share: float

    @property
    def fits(self) -> bool:
        """Whether what is left is chance, or next to nothing of what there was."""
        return self.gap.z < NOTICED or (self.share >= ALL and self.gap.z < FAR)

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "z": round(self.gap.z, 2), "explains": round(self.share, 3)}


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
        return tuple(told)

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
    seen = _Seen(space(source.x[rows]), space(target[others]), source.labels[rows] if k else None, k, seed)
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


@final
@dataclass(frozen=True, eq=False)
class _Seen:
    """Both domains in one space, as hypotheses are put to them; y are the source's labels of k classes."""

    s: Float[Tensor, "n d"]
    t: Float[Tensor, "m d"]
    y: Int[Tensor, " n"] | None
    k: int
    seed: int

    def whole(self) -> Gap:
        """The gap between the domains as they are, by what it is when their samples are mixed."""
        features = Bumps.of(self.s, self.t, self.seed)
        return permuted(features(self.s), features(self.t), self.seed)

    @property
    def prior(self) -> Float[Tensor, " k"]:
        """The classes' proportions in the source."""
        assert self.y is not None
        return torch.bincount(self.y, minlength=self.k).double() / len(self.y)

    def explanations(self, whole: Gap) -> list[Explanation]:
        """What gap every hypothesis leaves.

        Where there are few samples for the numbers that a map of the covariance has, hypotheses are fitted to
        one half of the samples and put to the other, both ways: in 32 dimensions such a map would explain
        anything.
        """
        d, n = self.s.shape[1], min(len(self.s), len(self.t))
        if d * (d + 3) / 2 <= n / PER_NUMBER:
            gaps = self._gaps_of(self)
        else:
            one, other = self._halves()
            pairs = zip(one._gaps_of(other).items(), other._gaps_of(one).values(), strict=True)
            gaps = {name: a.between(b) for (name, a), b in pairs}
        nothing = gaps.pop("no change")
        found = [Explanation("no change", whole, 0.0)]
        for name, gap in gaps.items():
            share = 1 - gap.excess / nothing.excess if nothing.excess > 0 else 1.0
            found.append(Explanation(name, gap, max(-1.0, min(share, 1.0))))
        return found

    def _gaps_of(self, other: "_Seen") -> dict[str, Gap]:
        """Hypotheses fitted to these samples, and the gaps that they leave between others."""
        features = Bumps.of(self.s, self.t, self.seed)
        f_s, f_t = features(other.s), features(other.t)
        gaps = {"no change": hotelling(f_s, f_t)}
        for name, fitted in MAPS.items():
            gaps[name] = hotelling(features(fitted(self.s, self.t)(other.s)), f_t)
        if self.y is not None and other.y is not None:
            ratios = (self._by_means(features)[1], self._by_answers()[1])
            tried = [hotelling(f_s, f_t, ratio[other.y] + 1e-9) for ratio in ratios]
            gaps["proportions"] = min(tried, key=lambda gap: gap.z)
        weight = least_squares_ratio(self.s, self.t, self.seed, at=other.s)
        gaps["sampling"] = hotelling(f_s, f_t, weight)
        return gaps

    def proportions(self) -> tuple[Float[Tensor, " k"], Float[Tensor, " k"]]:
        """(the classes' proportions in the target, the same over those in the source), by all samples; of two
        estimates the one that leaves less of the gap."""
        features = Bumps.of(self.s, self.t, self.seed)
        assert self.y is not None
        f_s, f_t, y = features(self.s), features(self.t), self.y
        estimates = (self._by_means(features), self._by_answers())
        return min(estimates, key=lambda found: hotelling(f_s, f_t, found[1][y] + 1e-9).z)

    def _by_means(self, features: Bumps) -> tuple[Float[Tensor, " k"], Float[Tensor, " k"]]:
        """By the classes' means of the features, whatever borders the classes have."""
        assert self.y is not None
        return moved_proportions(features(self.s), self.y, features(self.t), self.k)

    def _by_answers(self) -> tuple[Float[Tensor, " k"], Float[Tensor, " k"]]:
        """By what the source's linear probe says of the target: many dimensions it knows better."""
        assert self.y is not None
        known = Domain(self.s, self.y, Classes(tuple(map(str, range(self.k)))))
        head = LinearProbe().head(known, Training(seed=self.seed))
        with torch.no_grad():
            q = em_priors(head(self.t).log_softmax(1), self.prior.clamp_min(1e-12))
        return q, torch.where(self.prior > 0, q / self.prior.clamp_min(1e-12), 1.0)

    def ratio(self) -> Float[Tensor, " n"]:
        """p_target / p_source at the source."""
        return least_squares_ratio(self.s, self.t, self.seed)

    def _halves(self) -> tuple["_Seen", "_Seen"]:
        """Every other sample, and the rest; the samples come in random order."""
        made = []
        for half in range(2):
            y = None if self.y is None else self.y[half::2].contiguous()
            made.append(
                _Seen(self.s[half::2].contiguous(), self.t[half::2].contiguous(), y, self.k, self.seed)
            )
        return made[0], made[1]

    def along_a_direction(self, whole: Gap) -> tuple[Explanation, bool]:
        """What gap is left along a shared direction, and whether the classes can be told there: found on one
        half of the samples and put to the other, both ways."""
        assert self.y is not None
        left, kept = [], []
        for own, other in (halves := self._halves(), halves[::-1]):
            assert own.y is not None
            assert other.y is not None
            along = shared_direction(own.s, own.y, own.t, self.seed)
            u_s, u_t = along(other.s), along(other.t)
            bumps = Bumps.of(u_s, u_t, self.seed)
            left.append(hotelling(bumps(u_s), bumps(u_t)))
            known = Domain(own.s, own.y, Classes(tuple(map(str, range(self.k)))))
            probe, training = KernelProbe(points=100, folds=3), Training(seed=self.seed)
            heads = probe.head(known.with_(x=along(own.s)), training), probe.head(known, training)
            chance = float(other.prior.max())
            right = [
                float((head(x).argmax(1) == other.y).double().mean()) - chance
                for head, x in zip(heads, (u_s, other.s), strict=True)
            ]
            kept.append(right[0] / max(right[1], 1e-3))
        gap = left[0].between(left[1])
        share = 1 - 2 * gap.excess / whole.excess if whole.excess > 0 else 1.0
        return Explanation("shared direction", gap, max(-1.0, min(share, 1.0))), sum(kept) / 2 >= KEPT


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


def moved_proportions(
    f_s: Float[Tensor, "n r"], y: Int[Tensor, " n"], f_t: Float[Tensor, "m r"], k: int
) -> tuple[Float[Tensor, " k"], Float[Tensor, " k"]]:
    """(q, q/π): the proportions of classes by which the source's features have the target's mean.

    argmin_{q ≥ 0, Σq = 1} ‖Σ_c q_c mean(f | c) − mean f_t‖ in the metric of the target's covariance. A class
    without samples has q = 0 and a ratio of 1.
    """
    counts = torch.bincount(y, minlength=k).double()
    present = counts > 0
    means = torch.stack([f_s[y == c].mean(0) for c in present.nonzero().flatten().tolist()])
    values, vectors = torch.linalg.eigh(covariance(f_t))
    metric = vectors / (values.clamp_min(0) + 1e-3 * values[-1].clamp_min(1e-300)).sqrt()
    a, b = means @ metric, f_t.mean(0) @ metric
    sure = 10 * float(a.abs().max()) * a.shape[1] ** 0.5  # that they sum to 1
    stacked = torch.cat([a.T, torch.full((1, len(a)), sure, dtype=torch.float64)])
    solved = torch.from_numpy(nnls(stacked.numpy(), torch.cat([b, b.new_tensor([sure])]).numpy())[0])
    q = torch.zeros(k, dtype=torch.float64)
    q[present] = solved / solved.sum().clamp_min(1e-12)
    prior = counts / counts.sum()
    return q, torch.where(present, q / prior.clamp_min(1e-12), 1.0)


Change = Callable[[Tensor], Tensor]


def _mean(s: Float[Tensor, "n d"], t: Float[Tensor, "m d"]) -> Change:
    centre, goal = s.mean(0), t.mean(0)
    return lambda x: x - centre + goal


def _scale(s: Float[Tensor, "n d"], t: Float[Tensor, "m d"]) -> Change:
    centre, goal = s.mean(0), t.mean(0)
    factor = (t.var(0, correction=0).sum() / s.var(0, correction=0).sum().clamp_min(1e-300)).sqrt()
    return lambda x: (x - centre) * factor + goal


def _scales(s: Float[Tensor, "n d"], t: Float[Tensor, "m d"]) -> Change:
    centre, goal = s.mean(0), t.mean(0)
    factor = (t.var(0, correction=0) / s.var(0, correction=0).clamp_min(1e-300)).sqrt()
    return lambda x: (x - centre) * factor + goal


def _covariance(s: Float[Tensor, "n d"], t: Float[Tensor, "m d"]) -> Change:
    centre, goal = s.mean(0), t.mean(0)
    own = 1e-3 * torch.eye(s.shape[1], dtype=s.dtype)
    c_s, c_t = covariance(s) + own, covariance(t) + own
    root, inverse = power(c_s, 0.5), power(c_s, -0.5)
    weight = inverse @ power(root @ c_t @ root, 0.5) @ inverse
    return lambda x: (x - centre) @ weight + goal


# the simplest first
MAPS: dict[str, Callable[[Tensor, Tensor], Change]] = {
    "mean": _mean,
    "scale": _scale,
    "scales": _scales,
    "covariance": _covariance,
}
