"""Simple hypotheses about how one domain became another, and the gap that each of them leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float, Int
from scipy.optimize import nnls
from torch import Tensor

from ..domain import Domain
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

NOTICED = 3.0  # z of a gap that is no chance
FAR = 10.0  # z up to which leaving next to nothing is enough, of samples that show every trifle
ALL = 0.95  # of the gap, that an explanation leaves nothing of
PER_NUMBER = 20  # samples that a number of a map has to have, to be fitted and tested on the same ones
KEPT = 0.5  # of what the source tells beyond its largest class, that a direction has to keep


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
@dataclass(frozen=True, eq=False)
class Seen:
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

    def _gaps_of(self, other: "Seen") -> dict[str, Gap]:
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

    def _halves(self) -> tuple["Seen", "Seen"]:
        """Every other sample, and the rest; the samples come in random order."""
        made = []
        for half in range(2):
            y = None if self.y is None else self.y[half::2].contiguous()
            made.append(
                Seen(self.s[half::2].contiguous(), self.t[half::2].contiguous(), y, self.k, self.seed)
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
