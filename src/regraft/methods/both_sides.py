"""Closed forms that carry labels from a source to a target without labels: map or weigh, then a head."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, final

from jaxtyping import Float
from torch import Tensor, nn

from ..backbone import Backbone
from ..domain import Domain
from ..engine import one_thread
from ..heads.affine import Affine
from ..heads.principal import principal
from ..method import SMALL, Both, Method, param
from ..model import Model
from ..problem import Problem
from ..training import Training
from .features.learners import LEARNERS, learner_of


@dataclass(frozen=True, eq=False)
class Sides:
    """One classifier as a head for each side: features of the target, and features of the source.

    told: what was found on the way, JSON-able, for the model's provenance.
    """

    target: nn.Module
    source: nn.Module
    told: dict[str, Any] = field(default_factory=dict)


class Seen(NamedTuple):
    """What a closed form sees: flat features in float64, and the labelled target where it is needed."""

    source: Domain
    target: Float[Tensor, "m d"]
    labelled: Domain | None = None


@dataclass(frozen=True, kw_only=True)
class TwoSided(Method):
    """What a source teaches for a target without labels, where the two may be seen through different maps."""

    needs: ClassVar[frozenset[str]] = frozenset({"source", "target"})
    taught: ClassVar[str] = "source"

    learner: str = param(
        "cautious", "what learns: auto, the probe of the output, cautious, ridge, or kernel", LEARNERS
    )

    @final
    def learn(self, problem: Problem, backbone: Backbone, training: Training) -> Model:
        return self.learn_both(problem, backbone, training).target

    @final
    def fit_both(self, problem: Problem, backbone: Backbone, training: Training) -> Both:
        problem, backbone = self._given(problem, backbone)
        prefix, suffix = backbone.cut(self.lowest_trained(backbone))
        both = self.learn_both(self.at_the_cut(prefix, problem, training), suffix, training)
        for model in both:
            model.engine = training.engine
        return Both(*(model.behind(prefix) for model in both))

    @abstractmethod
    def learn_both(self, problem: Problem, backbone: Backbone, training: Training) -> Both:
        """As `learn`, for either side."""

    def taught_by(self, source: Domain, training: Training) -> nn.Module:
        """The head that the learner makes of labelled features."""
        return learner_of(self.learner, source.asked).head(source, training)


@dataclass(frozen=True, kw_only=True)
class OnBothSides(TwoSided):
    """A head solved on features of the frozen network, of a labelled source for an unlabelled target."""

    @final
    def learn_both(self, problem: Problem, backbone: Backbone, training: Training) -> Both:
        flat = {role: flattened(domain) for role, domain in problem.domains.items()}
        seen = Seen(flat["source"], flat["target"].x, flat.get("target_labelled"))
        with one_thread(small=seen.source.x.numel() + seen.target.numel() < SMALL):
            sides = self.sides(seen, training)
        output = seen.source.asked
        return Both(
            *(Model(backbone, h, output, provenance={**sides.told}) for h in (sides.target, sides.source))
        )

    @abstractmethod
    def sides(self, seen: Seen, training: Training) -> Sides:
        """The head for each side."""


class Maps(NamedTuple):
    """Where each side goes: into one space in which the source teaches the target."""

    source: Affine
    target: Affine


@dataclass(frozen=True, kw_only=True)
class Aligned(OnBothSides):
    """An affine map of each side into one space, in which a head learns from the source.

    The maps are found, and the head learns, among the first `components` principal components of all features
    together: in more dimensions than that, covariances of some hundred samples are mostly chance.
    """

    components: int = param(
        128, "principal components of all features; 0 keeps them all", search=(0, 32, 64, 128, 256)
    )

    @final
    def sides(self, seen: Seen, training: Training) -> Sides:
        space = principal([seen.source.x, seen.target], self.components)
        source = seen.source.with_(x=space(seen.source.x))
        maps = self.maps(source, space(seen.target), training)
        head = self.taught_by(source.with_(x=maps.source(source.x)), training)
        return Sides(maps.target.after(space).then(head), maps.source.after(space).then(head))

    @abstractmethod
    def maps(self, source: Domain, target: Float[Tensor, "m d"], training: Training) -> Maps:
        """The maps of both sides."""


@dataclass(frozen=True, kw_only=True)
class Reweighted(OnBothSides):
    """min_h Σ wᵢ ℓ(h(xᵢ), yᵢ) over the source, w its density ratio to the target.

    Ratios are told by the first `components` principal components of all features; the head learns from all
    features. `largest` bounds a weight, in units of the mean one, and `flat` is the power that ratios are
    taken to: 1 is unbiased, and pays for it with few effective samples; 0 weighs nothing (Shimodaira 2000).
    """

    learner: str = param(
        "auto", "what learns: auto, the probe of the output, cautious, ridge, or kernel", LEARNERS
    )
    components: int = param(
        32, "principal components by which densities are compared; 0 takes all", search=(0, 8, 32, 128)
    )
    largest: float = param(20.0, "the largest weight, in units of the mean one", search=(5.0, 20.0, 100.0))
    flat: float = param(0.5, "the power that ratios are taken to", search=(0.0, 0.5, 1.0))

    @final
    def sides(self, seen: Seen, training: Training) -> Sides:
        space = principal([seen.source.x, seen.target], self.components)
        found = self.weights(space(seen.source.x), space(seen.target), training)
        weight = bounded(found.double().clamp_min(0) ** self.flat, self.largest)
        own = seen.source.weight
        head = self.taught_by(seen.source.with_(weight=weight if own is None else own * weight), training)
        return Sides(head, head, {"effective_samples": effective_samples(weight)})

    @abstractmethod
    def weights(
        self, source: Float[Tensor, "n d"], target: Float[Tensor, "m d"], training: Training
    ) -> Float[Tensor, " n"]:
        """w(x) ≈ p_target(x) / p_source(x) for every sample of the source, up to a factor."""


def bounded(weight: Float[Tensor, " n"], largest: float) -> Float[Tensor, " n"]:
    """Weights of mean 1, none above `largest` before they are scaled to that mean again.

    >>> import torch
    >>> bounded(torch.tensor([0.0, 1.0, 1.0, 14.0]), largest=2.0).tolist()
    [0.0, 0.4, 0.4, 3.2]
    """
    weight = weight.double().clamp_min(0)
    weight = (weight / weight.mean()).clamp_max(largest)
    return weight / weight.mean()


def effective_samples(weight: Float[Tensor, " n"]) -> float:
    """(Σ w)² / Σ w²: how many samples of equal weight are worth as much (Kish 1965).

    >>> import torch
    >>> effective_samples(torch.tensor([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    return float(weight.sum().square() / weight.square().sum())


def middles(
    source: Float[Tensor, "n d"], target: Float[Tensor, "m d"], apart: bool
) -> tuple[Float[Tensor, " d"], Float[Tensor, " d"]]:
    """What is taken from either side: its own mean, or that of all samples.

    >>> import torch
    >>> a, b = torch.tensor([[0.0]]), torch.tensor([[1.0], [2.0]])
    >>> [[round(m.item(), 2) for m in middles(a, b, apart)] for apart in (True, False)]
    [[0.0, 1.5], [1.0, 1.0]]
    """
    if apart:
        return source.double().mean(0), target.double().mean(0)
    both = (source.double().sum(0) + target.double().sum(0)) / (len(source) + len(target))
    return both, both


def flattened(domain: Domain) -> Domain:
    """The domain with a vector in float64 for each sample."""
    assert isinstance(domain.x, Tensor)
    return domain.with_(x=domain.x.flatten(1).double())
