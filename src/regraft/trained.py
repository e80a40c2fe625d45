"""What all recipes of gradient descent have in common: the network, the switches, the run."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, final

import torch
from torch import Tensor, nn

from .augmentation import Augmentation, pixels_in
from .backbone import Backbone
from .certainty import fitted_temperature
from .domain import Domain
from .engine import Engine, luck_of
from .errors import InputError
from .folds import hold_out
from .heads import Linear
from .method import Method, param
from .model import Model
from .output import Classes, Output
from .problem import Problem
from .rates import RateCurve, find_rate
from .samples import describe
from .schedule import FROZEN, Mode, Schedule
from .terms.risk import risk
from .training import MOMENTUM, History, Phase, Step, Terms, Training, minimise, run_key
from .units import Units


class Network(nn.Module):
    """h∘φ while it is trained, cut into the parts that have modes of their own.

    beside: what learns with it, as its head does, and is left behind (a critic, a second head). following:
    what no gradient changes, and the recipe itself does after steps (a teacher).
    """

    def __init__(
        self,
        backbone: Backbone,
        head: nn.Module,
        beside: dict[str, nn.Module] | None = None,
        following: dict[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.beside = nn.ModuleDict(beside or {})
        self.following = nn.ModuleDict(following or {})
        self.told: dict[str, Any] = {}  # what the recipe did to it, for the model's provenance

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(x))
        return scores

    def features(self, x: Tensor) -> Tensor:
        """φ(x), n × d."""
        z: Tensor = self.backbone(x.to(next(self.head.parameters()).device))
        return z.flatten(1)

    @property
    def parts(self) -> list[nn.Module]:
        """The stages, then the head, and what is beside and follows."""
        return [*self.backbone.stages, self.head, *self.beside.values(), *self.following.values()]

    def modes(self, modes: Sequence[Mode]) -> list[Mode]:
        """The mode of every part, from those of the stages and the head."""
        return [*modes, *(modes[-1] for _ in self.beside), *(FROZEN for _ in self.following)]


@dataclass(frozen=True)
class Turn:
    """A part of every step: an objective, which parts it changes (all where none are named), how often.

    momentum: β₁ of Adam; objectives that work against each other settle with less of it than others.

    The other parts are in the mode that they are trained in, whatever turn was before, but do not learn.
    """

    objective: Callable[[Network, Step], Terms]
    parts: Sequence[nn.Module] | None = None
    repeats: int = 1
    momentum: float = MOMENTUM

    def modes(self, network: Network, modes: Sequence[Mode]) -> list[Mode]:
        """The mode of every part of the network in this turn, from those of the stages and the head."""
        learning = {id(part) for part in (network.parts if self.parts is None else self.parts)}
        return [
            mode if id(part) in learning else replace(mode, rate=0.0, which="nothing")
            for part, mode in zip(network.parts, network.modes(modes), strict=True)
        ]


@dataclass(frozen=True, kw_only=True)
class Trained(Method):
    """A network trained by gradient descent; recipes say what is minimised and which parts learn when.

    Switches that all of them have: the shape of the rates; the height of the rates, found by a short run
    (`rates.find_rate`); a moving average of the weights (`averaging.MovingAverage`); and pictures that are
    changed in every step (`augmentation.Augmentation`), the labelled ones and those of an unlabelled target.
    Changes need pixels: behind frozen stages, which run once, a step draws one of so many `views` of a
    sample, changed before they ran.
    """

    epochs: int = param(30, "passes over the labelled samples", search=(10, 30, 100))
    least_steps: int = param(200, "steps at the least, however few the samples", search=(100, 200, 500))
    batch_size: int = param(32, "samples in a step", search=(16, 32, 64))
    weight_decay: float = param(
        1e-2, "decay of the trained weights, as AdamW has it", search=(0.0, 1e-3, 1e-2)
    )
    held_out: float = param(
        0.2,
        "share of the labels that watches for the best moment to step back to; 0 takes the last",
        (0.0, 0.2),
    )
    shape: Literal["cosine", "one cycle"] = param(
        "cosine", "how rates rise and fall", search=("cosine", "one cycle")
    )
    find_rate: bool = param(False, "whether a short run finds the height of all rates", search=(False, True))
    moving_average: float = param(
        0.0,
        "share of training that the average of the weights remembers; 0 averages nothing",
        search=(0.0, 0.1, 0.3),
    )
    crop: float = param(1.0, "least share of a picture that a random crop keeps", search=(1.0, 0.7, 0.35))
    flip: bool = param(False, "whether half of the pictures are mirrored", search=(False, True))
    colour: float = param(0.0, "largest change of brightness, contrast and saturation", search=(0.0, 0.2))
    affine: float = param(
        0.0, "how much pictures are turned, moved and scaled, 1 for 30 degrees", search=(0.0, 0.25, 0.5)
    )
    invert: float = param(
        0.0, "share of pictures whose channels change contrast, and its sign", search=(0.0, 0.5, 1.0)
    )
    views: int = param(0, "changed copies of a sample that are kept behind frozen stages", search=(0, 4, 8))

    @property
    def augmentation(self) -> Augmentation:
        """What is changed about the pictures of a step."""
        return Augmentation(self.crop, self.flip, self.colour, self.affine, self.invert)

    @property
    def weak_augmentation(self) -> Augmentation | None:
        """What is changed about a second view of the target (`Step.weak`), for recipes that compare two."""
        return None

    @property
    def many_views(self) -> tuple[Augmentation, int] | None:
        return (self.augmentation, self.views) if self.augmentation and self.views > 0 else None

    @abstractmethod
    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        """The network before the first step; `backbone` is free to be trained."""

    @abstractmethod
    def schedule(self, stages: int) -> Schedule:
        """When each of the stages behind the cut, and the head, learns how fast."""

    def timetable(self, backbone: Backbone) -> Schedule | None:
        lowest = self.lowest_trained(backbone)
        return self.shaped(backbone[lowest:]).behind(lowest)

    def shaped(self, learning: Backbone) -> Schedule:
        """The schedule of the stages behind the cut, in the shape that the recipe has."""
        return replace(self.schedule(len(learning)), shape=self.shape)

    def planned_steps(self, n: int) -> int:
        """How many steps n labelled samples are worth."""
        return max(self.least_steps, self.epochs * (n // min(self.batch_size, n)))

    def objective(self, network: Network, step: Step) -> Terms:
        """What is minimised: named terms, already weighted."""
        labelled = step.batch.domains[self.taught]
        assert isinstance(labelled.x, Tensor)
        return {"risk": risk(network(labelled.x), labelled)}

    def turns(self, network: Network) -> list[Turn]:
        """What a step consists of, in order; most recipes have one objective."""
        return [Turn(self.objective)]

    def after_step(self, network: Network, step: Step) -> None:
        """What no gradient changes and has to follow, such as a teacher."""
        return

    def finish(self, network: Network) -> None:
        """What is still done to the network after its last step."""
        return

    def look_back(self, network: Network, problem: Problem, history: History, training: Training) -> None:
        """What a finished run still learns from what it was taught on, and tells (`network.told`)."""
        return

    def rate_curve(self, problem: Problem, backbone: Backbone, training: Training | None = None) -> RateCurve:
        """The loss while the rate of the head rises, and those of the stages with it (`rates.find_rate`)."""
        training = training or Training()
        problem, backbone = self._given(problem, backbone)
        prefix, suffix = backbone.cut(self.lowest_trained(backbone))
        seen = self.at_the_cut(prefix, problem, training)
        labelled = seen.domains[self.taught]
        seen = seen.having(self.taught, Units.of(labelled).standard(labelled))
        return self._curve(seen, self._started(seen, suffix, training), training.of_steps())

    @final
    def learn(self, problem: Problem, backbone: Backbone, training: Training) -> Model:
        labelled = problem.domains[self.taught]
        kept, watched = hold_out(labelled, self.held_out, training.seed)
        stepping = training.of_steps()
        key = run_key({**self.recipe(), "method": type(self).__name__}, problem, backbone, stepping)
        units = Units.of(labelled[kept])
        problem = problem.having(self.taught, units.standard(labelled[kept]))
        network = self._started(problem, backbone, training)
        watch = units.standard(labelled[watched])

        @torch.no_grad()
        def validate() -> float:
            network.eval()
            assert isinstance(watch.x, Tensor)
            with stepping.engine.autocast():
                scores = [network(stepping.engine.lay_out(x)).cpu().float() for x in watch.x.split(128)]
            return watched_loss(torch.cat(scores), watch)

        steps = self.planned_steps(len(kept))
        factor = 1.0
        if self.find_rate:
            curve = self._curve(problem, network, stepping)
            factor = curve.suggested / max(mode.rate for mode in self.shaped(network.backbone).heights)
        history = minimise(
            self._phases(network, stepping.engine, factor),
            problem,
            stepping,
            steps=steps,
            batch_size=self.batch_size,
            validate=validate if len(watched) else None,
            validate_every=max(1, steps // 20),
            averaged=round(self.moving_average * steps),
            after_step=partial(self.after_step, network),
            key=key,
        )
        learned = self.shaped(network.backbone).learning([*network.backbone.stages, network.head])
        if history.came_to_nothing:
            # nothing came of training, and what it starts from is better with the labels that watched
            units = Units.of(labelled)
            whole = problem.having(self.taught, units.standard(labelled))
            network = self._started(whole, backbone, training)
            network.eval()
        self.finish(network)
        self.look_back(network, problem, history, stepping)
        units.restore(network.head)
        told = {
            "steps": steps,
            "best_step": history.best_step if len(watched) else steps,
            "held_out_loss": min(loss for _, loss in history.validation) if len(watched) else None,
            **({"rate_factor": factor} if self.find_rate else {}),
            "trained_parameters": learned,
            **network.told,
        }
        # as a model that is loaded lies in memory, which decides about the last bit
        network.cpu().to(memory_format=torch.contiguous_format)
        return Model(network.backbone, network.head, labelled.asked, provenance=told)

    def _started(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        for domain in (problem.domains[role] for role in sorted(self.augmented)):
            if self.augmentation and domain.views is None and not pixels_in(domain.x):
                raise InputError(
                    f"crops, colours and the like change pictures, and {type(self).__name__} learns from "
                    f"{describe(domain.x)}: behind frozen stages keep changed copies, such as views=4, and "
                    "leave them out where there are no pictures"
                )
        with luck_of(training.seed):
            network = self.start(problem, backbone.copied(), training)
        network.backbone.old_head = None  # it belongs to the features as they were
        return network

    def _phases(self, network: Network, engine: Engine, factor: float = 1.0) -> list[Phase]:
        schedule = self.shaped(network.backbone).times(factor)
        return [self._phase(turn, network, engine, schedule) for turn in self.turns(network)]

    def _phase(self, turn: Turn, network: Network, engine: Engine, schedule: Schedule) -> Phase:
        def objective(step: Step) -> Terms:
            batch = step.batch.mapped_by_role(lambda role, domain: self._drawn(role, domain, engine))
            weak = None
            if self.weak_augmentation is not None:
                weak = self._weakly(step.batch.domains["target"], self.weak_augmentation, engine)
            return turn.objective(network, replace(step, batch=batch, weak=weak))

        def modes(progress: float) -> list[Mode]:
            return turn.modes(network, schedule(progress))

        return Phase(objective, network.parts, modes, self.weight_decay, turn.repeats, turn.momentum)

    def _drawn(self, role: str, domain: Domain, engine: Engine) -> Domain:
        """A batch as a step sees it: one of the views of every sample, or its pixels changed anew."""
        x = domain.x
        if role in self.augmented and domain.views is not None:
            view = torch.randint(domain.views.shape[1], (len(domain),))
            x = domain.views[torch.arange(len(domain)), view]
        elif role in self.augmented and self.augmentation:
            x = self.augmentation(engine.lay_out(x), torch.rand(len(domain), self.augmentation.numbers))
        return domain.with_(x=engine.lay_out(x) if isinstance(x, Tensor) else x, views=None)

    def _weakly(self, domain: Domain, how: Augmentation, engine: Engine) -> Tensor:
        """The batch changed so little; as it is where it is no pixels, or has views that are changed more."""
        x = domain.x
        assert isinstance(x, Tensor)
        x = engine.lay_out(x)
        if how and domain.views is None and pixels_in(x):
            x = engine.lay_out(how(x, torch.rand(len(x), how.numbers)))
        return x

    def _curve(self, problem: Problem, network: Network, training: Training) -> RateCurve:
        """The curve of the first turn in which the head learns."""
        schedule = self.shaped(network.backbone)
        turn = next(t for t in self.turns(network) if t.parts is None or network.head in t.parts)
        phase = self._phase(turn, network, training.engine, schedule)
        heights = turn.modes(network, schedule.heights)
        return find_rate(phase, problem, training, heights, batch_size=self.batch_size)


def watched_loss(scores: Tensor, watch: Domain) -> float:
    """By which the best moment of training is told: the risk of held-out samples.

    Of classes that at the temperature that suits the moment best: training goes on to make scores larger long
    after all labels are told right, which a temperature takes back afterwards, so that the log loss itself
    rises while the network still learns. On the cartoons of PACS, with all labels, three stages trained at a
    rate of 1e-3 ended at 80.1 % by the one and at 83.9 % by the other, where the probe has 80.1 %.

    >>> birds = Domain([[0.0], [1.0]], ["crow", "owl"])
    >>> some = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> abs(watched_loss(some, birds) - watched_loss(9 * some, birds)) < 1e-3
    True
    """
    if isinstance(watch.output, Classes):
        scores = scores / fitted_temperature(scores[None], watch.labels)
    return risk(scores, watch).item()


def new_head(features: int, output: Output) -> Linear:
    """A linear head that is to be trained, with small random weights."""
    head = Linear(features, output.width, "float32")
    nn.init.normal_(head.weight, std=0.01)
    return head
