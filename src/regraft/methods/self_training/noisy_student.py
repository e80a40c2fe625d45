"""Noisy student: a network learns what its teacher says of changed samples, and becomes the teacher."""

from dataclasses import dataclass, replace
from typing import ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ...augmentation import Augmentation
from ...backbone import Backbone
from ...heads import Linear
from ...method import param
from ...model import Model
from ...problem import Problem
from ...seeds import seed_of
from ...trained import Network
from ...training import Step, Terms, Training
from ..across import BATCH, AcrossDomains, target_of
from ..consistency import noisy, weak_of

LARGEST = 5.0  # weight of a sample of a class that is rarely said: one that is said once should not be all


class Labeller(nn.Module):
    """A teacher that stays as it is: what it says of samples, and how much each counts."""

    weight: Tensor

    def __init__(self, teacher: Network, threshold: float, balanced: bool, pool: Tensor) -> None:
        super().__init__()
        self.teacher = teacher.eval()
        self.threshold = threshold
        with torch.no_grad():
            said = torch.cat([self.teacher(x).float().softmax(1) for x in pool.split(BATCH)])
        counts = torch.bincount(said.argmax(1)[said.amax(1) >= threshold], minlength=said.shape[1])
        self.register_buffer("weight", evened(counts) if balanced else torch.ones(said.shape[1]))

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Float[Tensor, "m k"], Float[Tensor, " m"]]:
        """(probabilities, weights)."""
        q = self.teacher(x).float().softmax(1)
        confidence, label = q.max(1)
        return q, (confidence >= self.threshold) * self.weight[label]


@final
@dataclass(frozen=True, kw_only=True)
class NoisyStudent(AcrossDomains):
    """min_{η,β}  R_S(φ_η, β) + λ (1/m) Σ_j w_j CE(q_j, f(x̃_j)),  q by the network before it, R times

    The first network learns from the labelled samples alone; in each of R rounds a student of the same size
    starts anew, from where the first one did, and learns the labels and what its teacher says of the samples
    without any: q_j of sample j as it is, where the student sees it changed (pictures by the switches of
    `Trained`, vectors by Gaussian noise). w_j is 0 where the largest of q_j is below τ, and with `balanced`
    larger for classes that the teacher rarely says, so that all count alike. It helps where a change is known
    that changes no class: the student has to be right where its teacher would not be. It harms where the
    teacher is mostly wrong, where the noise hides what tells classes apart, and with `balanced` where classes
    are really rare. It takes R + 1 trainings. λ = 0 is SourceTuned.

    The paper has students larger than their teachers, τ 0.3 for a thousand classes, and batches of the pool
    up to 28 times as large as those of the labelled samples.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> few = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> pool = Domain([[0.2], [0.05], [1.15], [1.2]])
    >>> given = Problem(target_labelled=few, unlabelled=pool)
    >>> NoisyStudent().fit(given, small_mlp(1)).predict([[0.2], [1.2]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Xie et al., CVPR 2020, arXiv:1911.04252, algorithm 1"
    semi: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M26",)
    weighted: ClassVar[str] = "pool"

    pool: float = param(1.0, "λ: how much what the teacher says counts", search=(0.0, 0.3, 1.0))
    rounds: int = param(2, "R: students, one after another", search=(1, 2, 3))
    threshold: float = param(0.5, "τ: least probability of what is heard", search=(0.0, 0.3, 0.5, 0.8))
    soft: bool = param(True, "whether labels are distributions", search=(False, True))
    balanced: bool = param(True, "whether all classes count alike", search=(False, True))
    noise: float = param(
        0.3, "noise on vectors, in units of the spread of a column within the batch", search=(0.0, 0.1, 0.3)
    )

    @property
    def weak_augmentation(self) -> Augmentation | None:
        return Augmentation() if self.weight > 0 else None  # the teacher sees samples as they are

    def _fitted(self, problem: Problem, backbone: Backbone, training: Training) -> Model:
        model = super()._fitted(replace(problem, source_model=None), backbone, training)
        for r in range(self.rounds if self.weight > 0 else 0):
            taught = replace(problem, source_model=model)
            # what is drawn in a round, and the name of its checkpoint, are its own
            model = super()._fitted(
                taught, backbone, replace(training, seed=seed_of(training.seed, "round", r))
            )
        return model

    def network(self, backbone: Backbone, head: Linear, problem: Problem) -> Network:
        model, pool = problem.source_model, problem.domains["target"].x
        if not isinstance(model, Model):
            return Network(backbone, head)
        assert isinstance(pool, Tensor)
        teacher = Network(model.backbone.copied(), model.head)
        return Network(
            backbone, head, following={"teacher": Labeller(teacher, self.threshold, self.balanced, pool)}
        )

    def source_scores(
        self, network: Network, step: Step, source: Float[Tensor, "n d"]
    ) -> Float[Tensor, "n k"]:
        x = step.batch.domains["source"].x
        changed = noisy(x, self.noise) if "teacher" in network.following else x
        return super().source_scores(network, step, source if changed is x else network.features(changed))

    def transfer(self, network: Network, step: Step, source: Float[Tensor, "n d"]) -> Terms:
        if "teacher" not in network.following:
            return {}
        q, weight = network.following["teacher"](weak_of(step))
        step.note("sure", (weight > 0).float().mean())
        scores = network(noisy(target_of(step), self.noise))
        wrong = cross_entropy(scores, q if self.soft else q.argmax(1), reduction="none")
        return {"student": self.pool * (weight * wrong).mean()}


def evened(counts: Int[Tensor, " k"]) -> Float[Tensor, " k"]:
    """The weight of a sample of each class with which all classes count alike, of those that there are.

    >>> evened(torch.tensor([1, 3, 0])).tolist()
    [2.0, 0.6666666865348816, 0.0]
    """
    there = counts > 0
    mean = counts.sum() / there.sum().clamp_min(1)
    return torch.where(there, mean / counts.clamp_min(1), 0.0).float().clamp_max(LARGEST)
