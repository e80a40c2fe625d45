"""How often the classes are in a sample without labels, by a classifier of a sample with labels."""

import math
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..certainty.temperature import fitted_temperature
from ..domain import Domain
from ..intervals import Interval, Z
from ..output import Classes
from ..seeds import seed_of
from ..terms.label_shift import em_priors
from .apart import together
from .probe import evenly, linear, probed

RESAMPLED = 40  # times, for a standard deviation
MOST_LEFT = 0.2  # of discrepancy, for an estimate that is told
SHOWN = 3  # classes that a sentence names


@final
@dataclass(frozen=True)
class LabelShift:
    """The shares of the classes in the source, and estimated in the target.

    accuracy: of the classifier on held-out samples of the source. left: the discrepancy for linear
    classifiers that is left when the source's samples are weighed by these frequencies; 0 if nothing else
    differs. The intervals of shares are 95 % for the draw of the target's samples, and take that for granted.
    """

    names: tuple[str, ...]
    source: tuple[float, ...]
    target: tuple[Interval, ...]
    accuracy: float
    left: Interval

    @property
    def doubtful(self) -> bool:
        """Whether so much else differs that the estimate means little."""
        return self.left.low > MOST_LEFT

    @property
    def distance(self) -> float:
        """½ Σ_c |π_source − π_target|: the share of samples that would have to change their class."""
        pairs = zip(self.source, self.target, strict=True)
        return sum(abs(there - here.value) for there, here in pairs) / 2

    def sentence(self, source: str, target: str) -> str:
        """What is estimated, in words."""
        if self.doubtful:
            return (
                f"How often each class is in {target} cannot be told by the labels of {source}: under the "
                f"frequencies that fit best a linear classifier still tells the two apart (discrepancy "
                f"{self.left}), so more differs than these."
            )
        changed = sorted(
            zip(self.names, self.source, self.target, strict=True), key=lambda c: -abs(c[1] - c[2].value)
        )
        listed = "; ".join(
            f"{name} {new.value:.0%} [{new.low:.0%}, {new.high:.0%}] against {old:.0%}"
            for name, old, new in changed[:SHOWN]
        )
        return (
            f"If {target} differed from {source} by class frequencies alone, {self.distance:.0%} of its "
            f"samples would be of other classes than there: {listed} (by a classifier that is right in "
            f"{self.accuracy:.0%} of {source}, held out)."
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "distance": self.distance,
            "left": self.left.to_json(),
            "doubtful": self.doubtful,
            "accuracy": self.accuracy,
            "classes": [
                {"name": name, "source": old, "target": new.to_json()}
                for name, old, new in zip(self.names, self.source, self.target, strict=True)
            ],
        }


def label_shift(source: Domain, target: Domain, seed: int) -> LabelShift | None:
    """The class frequencies of the target by maximum likelihood (`em_priors`).

    P(class | sample) is a logistic regression of the source's features, at the temperature that held-out
    samples of the source ask for. None where the source has not two classes with two samples each. Where
    anything but the frequencies differs, a classifier that errs in the target says the wrong classes there,
    and they are counted as if they were there.

    >>> luck = torch.Generator().manual_seed(0)
    >>> y = torch.arange(200) % 2
    >>> x = torch.randn(200, 2, generator=luck) + 3 * y[:, None]
    >>> lab = Domain(x[:100], ["owl" if c else "crow" for c in y[:100].tolist()])
    >>> field = x[100:][(y[100:] == 1) | (torch.arange(100) < 26)]  # 50 owls, 13 crows
    >>> [round(share.value, 1) for share in label_shift(lab, Domain(field), seed=0).target]
    [0.2, 0.8]
    """
    counts = source.classes.counts(source.labels)
    there = counts > 0
    if int((counts > 1).sum()) < 2:
        return None
    source = source.with_(y=(there.cumsum(0) - 1)[source.labels], output=_only(source, there))
    probe = probed(source, seed)
    scores, y = probe.scores[probe.judged], source.labels[probe.judged]
    temperature = fitted_temperature(scores[None], y)
    log_p = (linear(probe.whole, target.x.double()) / temperature).log_softmax(1)
    priors = torch.bincount(source.labels).double() / len(source)
    estimated = em_priors(log_p, priors)
    luck = torch.Generator().manual_seed(seed_of(seed, "resampled"))
    resampled = torch.stack(
        [
            em_priors(log_p[torch.randint(len(log_p), (len(log_p),), generator=luck)], priors)
            for _ in range(RESAMPLED)
        ]
    )
    half = Z * resampled.std(0)
    left = _left(source, target, (estimated / priors)[source.labels], seed)
    ends = zip(estimated.tolist(), half.tolist(), strict=True)
    return LabelShift(
        source.classes.names,
        tuple(priors.tolist()),
        tuple(Interval(p, p - h, p + h).within(0.0, 1.0) for p, h in ends),
        float((scores.argmax(1) == y).double().mean()),
        left,
    )


def _left(source: Domain, target: Domain, weight: Float[Tensor, " n"], seed: int) -> Interval:
    """|Σ wᵢ h(xᵢ) / Σ wᵢ − mean h(xⱼ)| for a linear h that tells both apart, held out.

    The interval is normal, with as many samples on the source's side as the weights leave (Kish).
    """
    both = together(source, target)
    weight = weight.clamp_min(1e-6)
    weights = evenly(both.labels)
    weights[: len(source)] *= weight / weight.mean()
    found = probed(both, seed, weights)
    second = (found.scores[:, 1] > found.scores[:, 0]).double()
    rates, variance = [], 0.0
    for side in (0, 1):
        rows = found.judged & (both.labels == side)
        w = weights[rows] / weights[rows].sum()
        rate = float((w * second[rows]).sum())
        rates.append(rate)
        variance += float(w.square().sum()) * max(rate * (1 - rate), 1 / (len(w) + 4))
    value = max(0.0, rates[1] - rates[0])
    half = Z * math.sqrt(variance * (1 + 2 * found.overlap))
    return Interval(value, value - half, value + half).within(0.0, 1.0)


def _only(domain: Domain, there: Bool[Tensor, " k"]) -> Classes:
    """The classes of which there are samples."""
    kept = zip(domain.classes.names, there.tolist(), strict=True)
    return Classes(tuple(name for name, is_there in kept if is_there))
