"""One stage alone, wherever it is, chosen on held-out labels."""

from dataclasses import dataclass, replace
from typing import ClassVar, final

from ...backbone import Backbone
from ...errors import InputError
from ...method import param
from ...model import Model
from ...problem import Problem
from ...schedule import Schedule
from ...training import Training
from .tuned import Tuned


@final
@dataclass(frozen=True, kw_only=True)
class Flextuning(Tuned):
    """min_{s,ηₛ,β} (1/n) Σ ℓ(φ_η(xᵢ)ᵀβ, yᵢ)  over the parameters ηₛ of one stage s and the head

    Where the look of the input changed and what is to be told did not, as from photos to line drawings, the
    stage that has to change is an early or a middle one, and the others are right as they are. Every stage is
    tried, and the one with the lowest loss on held-out labels is kept. Stages in front of it run once over
    each sample; the gradient passes through those behind. It costs as many trainings as there are stages.

    >>> import torch
    >>> from regraft.backbone import Backbone
    >>> from regraft.domain import Domain
    >>> phi = Backbone([("a", torch.nn.Linear(1, 8)), ("b", torch.nn.Linear(8, 8))], name="toy")
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> model = Flextuning(stage=0, held_out=0.0).fit(Problem(target_labelled=data), phi)
    >>> [torch.equal(a.weight, b.weight) for a, b in zip(model.backbone.stages, phi.stages)]
    [False, True]
    """

    reference: ClassVar[str] = "Royer & Lampert, WACV 2020, arXiv:2008.11995; Lee et al., ICLR 2023"
    map: ClassVar[tuple[str, ...]] = ("M07",)

    stage: int | None = param(None, "the stage that learns, from the input; none: choose", search=(None,))

    def lowest_trained(self, backbone: Backbone) -> int:
        if self.stage is None:
            return 0
        if not 0 <= self.stage < len(backbone):
            raise InputError(
                f"Flextuning got stage {self.stage}, and {backbone.name} has {len(backbone)}: "
                f"name one from 0 to {len(backbone) - 1}"
            )
        return self.stage

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (0.0, *[1.0] * (stages - 1)))

    def timetable(self, backbone: Backbone) -> Schedule | None:
        return None if self.stage is None else super().timetable(backbone)

    def _fitted(self, problem: Problem, backbone: Backbone, training: Training) -> Model:
        if self.stage is not None:
            return super()._fitted(problem, backbone, training)
        able = [i for i, stage in enumerate(backbone.stages) if any(True for _ in stage.parameters())]
        if not able:
            raise InputError(f"no stage of {backbone.name} has parameters: take a network that can learn")
        each = {i: replace(self, stage=i) for i in able}
        models = {i: one._fitted(problem, backbone, training) for i, one in each.items()}
        loss = {i: model.provenance["held_out_loss"] for i, model in models.items()}
        best = min(able, key=lambda i: (loss[i] is None, loss[i] or 0.0, -i))
        model = models[best]
        model.provenance |= {
            "stage": backbone.names[best],
            "held_out_loss_of_stages": {backbone.names[i]: loss[i] for i in able},
            "schedule": each[best].shaped(backbone[best:]).behind(best).to_json(),
        }
        return model
