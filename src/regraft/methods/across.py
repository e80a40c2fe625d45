"""Networks trained on a labelled source for a target without labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..backbone import Backbone
from ..domain import Domain
from ..engine import Engine
from ..features import embed
from ..heads import Linear
from ..method import Both, param
from ..model import Model
from ..output import Classes
from ..problem import Problem
from ..recount import recount_on
from ..schedule import Schedule
from ..surgery import draw_anew
from ..terms.risk import risk
from ..trained import Network, Trained, Turn, new_head
from ..training import History, Step, Terms, Training
from .adversarial.diagnostics import messages, summary
from .features.probe import probe_of

BATCH = 128  # samples that are looked at together once training is over


@dataclass(frozen=True, kw_only=True)
class AcrossDomains(Trained):
    """min_{η,β} (1/n) Σ ℓ(φ_η(xᵢ)ᵀβ, yᵢ) over the source + terms of the target without labels

    A pretrained network starts with the probe of the source as its head, and its last `trained` stages learn;
    an untrained one starts from random weights and learns as a whole. No labels are kept to watch: the loss
    on the source says nothing about the best moment for the target, so the last one is taken.

    weighted: the hyper-parameter by which the target's terms count. At 0 every recipe is SourceTuned, to the
    bit: no step sees the target.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"source", "target"})
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    taught: ClassVar[str] = "source"
    weighted: ClassVar[str] = ""

    trained: int = param(1, "stages of a pretrained network that learn, counted from the end", (1, 2, 4))
    held_out: float = param(0.0, "share of the source that watches for the best moment", search=(0.0, 0.2))
    rate: float = param(1e-3, "learning rate of the head at its height", search=(3e-4, 1e-3, 3e-3))
    stage_rate: float = param(5e-4, "learning rate of the stages at its height", search=(1e-4, 5e-4, 2e-3))
    statistics: bool = param(
        False, "whether BatchNorm of a pretrained network's stages is counted anew", search=(False, True)
    )
    target_statistics: bool = param(
        True, "whether BatchNorm, where it is counted, ends with the target's alone", search=(False, True)
    )

    def lowest_trained(self, backbone: Backbone) -> int:
        return max(0, len(backbone) - self.trained) if backbone.pretrained else 0

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        return self.network(backbone, first_head(backbone, problem.domains["source"], training), problem)

    def network(self, backbone: Backbone, head: Linear, problem: Problem) -> Network:
        """The network with whatever learns beside it, before the first step."""
        return Network(backbone, head)

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (0.0,) * stages)

    def shaped(self, learning: Backbone) -> Schedule:
        # an untrained network has no statistics to stand by
        return replace(super().shaped(learning), statistics=self.statistics or not learning.pretrained)

    def objective(self, network: Network, step: Step) -> Terms:
        source = step.batch.domains["source"]
        assert isinstance(source.x, Tensor)
        z = network.features(source.x)
        if self.weight == 0:
            return {"risk": risk(network.head(z), source)}
        learned = risk(self.source_scores(network, step, z), source)
        across = self.transfer(network, step, z)
        if (pulled := pull(across, z)) is not None and (risen := pull({"risk": learned}, z)) is not None:
            step.note("gradient ratio", pulled / risen.clamp_min(1e-12))
        return {"risk": learned, **across}

    @final
    def turns(self, network: Network) -> list[Turn]:
        return self.turns_across(network) if self.weight > 0 else [Turn(self.objective)]

    def turns_across(self, network: Network) -> list[Turn]:
        """What a step consists of where the target counts."""
        return [Turn(self.objective)]

    @final
    def look_back(self, network: Network, problem: Problem, history: History, training: Training) -> None:
        if self.weight == 0:
            return
        source, target = problem.domains["source"], problem.domains["target"]
        if self._sees_by_the_target(network.backbone) and not history.came_to_nothing:
            recount_on(network.backbone, _all(target), training.engine)
        names = source.classes.names
        told = {
            "weight": self.weighted,
            "course": history.course,
            "source": shares(source.labels, names),
            "predicted": shares(_answers(network, target, training.engine), names),
        }
        network.told |= {"diagnostics": told, "messages": messages(told)}
        for line in (summary(history.course), *network.told["messages"]):
            training.progress.say(f"{type(self).__name__}: {line}")

    def _sees_by_the_target(self, learning: Backbone) -> bool:
        """Whether what learned ends with the statistics of the target.

        In training each domain is seen by the statistics of its own batches, and what is counted is a mixture
        by which neither of them was seen.
        """
        return self.weight > 0 and self.target_statistics and self.shaped(learning).statistics

    def fit_both(self, problem: Problem, backbone: Backbone, training: Training) -> Both:
        """As `Method.fit_both`; samples of the source are seen by the statistics of the source."""
        model = self._fitted(problem, backbone, training)
        lowest = self.lowest_trained(backbone)
        if not self._sees_by_the_target(backbone[lowest:]):
            return Both(model, model)
        prefix, suffix = model.backbone.cut(lowest)
        source = problem.cast(self.needs).domains["source"]
        own, seen = suffix.copied(), embed(prefix, source, None, training.engine)
        recount_on(own, _all(seen), training.engine)
        head, engine = model.head, training.engine
        return Both(model, Model(own.cpu(), head, model.output, engine=engine).behind(prefix))

    @property
    def augmented(self) -> frozenset[str]:
        return frozenset({"source", "target"} if self.weight > 0 else {"source"})

    @final
    @property
    def weight(self) -> float:
        """How much the target's terms count."""
        return float(getattr(self, self.weighted)) if self.weighted else 0.0

    def source_scores(
        self, network: Network, step: Step, source: Float[Tensor, "n d"]
    ) -> Float[Tensor, "n k"]:
        """The scores of the source's batch that the risk is of, where the target counts."""
        scores: Tensor = network.head(source)
        return scores

    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        """The target's terms, weighted; `source` are the features of the source's batch. Recipes of several
        turns say there what becomes of the target."""
        return {}


def pull(terms: Terms, z: Float[Tensor, "n d"]) -> Float[Tensor, ""] | None:
    """The norm of the gradient of the terms with respect to features; None where they play no part."""
    total = torch.stack(list(terms.values())).sum() if terms else z.new_zeros(())
    if not z.requires_grad or not total.requires_grad:
        return None
    found: Tensor | None = torch.autograd.grad(total, z, retain_graph=True, allow_unused=True)[0]
    return None if found is None else found.square().sum().sqrt()


def shares(y: Int[Tensor, " n"], names: Sequence[str]) -> dict[str, float]:
    """The share of every class.

    >>> shares(torch.tensor([0, 0, 1, 0]), ("crow", "owl"))
    {'crow': 0.75, 'owl': 0.25}
    """
    counted = torch.bincount(y, minlength=len(names)).double() / max(len(y), 1)
    return dict(zip(names, counted.tolist(), strict=True))


@torch.no_grad()
def _answers(network: Network, domain: Domain, engine: Engine) -> Int[Tensor, " n"]:
    network.eval()
    with engine.autocast():
        return torch.cat([network(engine.lay_out(x)).argmax(1).cpu() for x in _all(domain).split(BATCH)])


def _all(domain: Domain) -> Tensor:
    """Its samples, as they are behind a cut."""
    assert isinstance(domain.x, Tensor)
    return domain.x


def flat(domain: Domain) -> Domain:
    """The domain with a vector for each sample."""
    assert isinstance(domain.x, Tensor)
    return domain.with_(x=domain.x.flatten(1))


def target_of(step: Step) -> Tensor:
    """The target's batch."""
    x = step.batch.domains["target"].x
    assert isinstance(x, Tensor)
    return x


def critic_of(features: int, width: int) -> nn.Sequential:
    """Two layers that tell one domain from another, of scores above 0 for the source."""
    return nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, 1))


def rising(strength: float, progress: float) -> float:
    """λ (2 / (1 + e^(−10 p)) − 1): from 0 to λ, for a critic has to know something before it is listened to.

    >>> [round(rising(2.0, p), 2) for p in (0.0, 0.1, 1.0)]
    [0.0, 0.92, 2.0]
    """
    return strength * (2 / (1 + math.exp(-10 * progress)) - 1)


def critic_accuracy(scores: Float[Tensor, " k"], sides: Float[Tensor, " k"]) -> Float[Tensor, ""]:
    """The mean over both domains of the share that a critic of scores above 0 for the source tells right.

    >>> critic_accuracy(torch.tensor([2.0, -1.0, -1.0, -3.0]), torch.tensor([1.0, 1.0, 0.0, 0.0])).item()
    0.75
    """
    right = (scores > 0) == (sides > 0.5)
    return torch.stack([right[sides > 0.5].float().mean(), right[sides <= 0.5].float().mean()]).mean()


def sides_of(source: Float[Tensor, "n d"], target: Float[Tensor, "m d"]) -> Float[Tensor, " k"]:
    """1 for every sample of the source, 0 for the target's, as the critic sees them: the source first."""
    return torch.cat([torch.ones(len(source)), torch.zeros(len(target))]).to(source.device)


def first_head(backbone: Backbone, source: Domain, training: Training) -> Linear:
    """The probe of the source on a pretrained network; a random head on one whose weights are drawn anew."""
    if backbone.pretrained:
        solved = probe_of(source.asked).head(flat(embed(backbone, source, None, training.engine)), training)
        assert isinstance(solved, Linear)
        return Linear.of(solved.weight.detach().float(), solved.bias.detach().float())
    draw_anew(backbone)
    seen = embed(backbone, source[:1]).x
    assert isinstance(seen, Tensor)
    return new_head(seen.flatten(1).shape[1], source.asked)
