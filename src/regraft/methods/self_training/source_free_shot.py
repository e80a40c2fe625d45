"""SHOT without the source: a model that is left of it moves its features until it is sure of the target."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from ...backbone import Backbone
from ...errors import InputError
from ...heads import Linear
from ...method import param
from ...model import Model
from ...output import Classes
from ...problem import Problem
from ...schedule import Schedule
from ...terms.information import information
from ...trained import Network, Trained, Turn
from ...training import Step, Terms, Training
from ..across import target_of
from ..of_source_model import of_source_model
from .shot import Centroids, nearest_labels


@final
@dataclass(frozen=True, kw_only=True)
class SourceFreeSHOT(Trained):
    """min_η (1/m) Σ H(p_j) − H(p̄) + b (1/m) Σ CE(ŷ_j, p_j)  over the target, from a source's φ_η; β stays its

    p_j is what the network says of sample j of the target, p̄ the mean of the batch, ŷ_j the class whose mean
    direction among the target's features is nearest to j's, as in SHOT. No sample of the source is needed:
    `problem.source_model` is a model with a linear head (a probe, or a fine-tuned network), whose own network
    has to be given as the backbone, and whose last `trained` stages learn. It helps where classes are
    clusters in the target that the model mostly names right. It harms where classes are not about equally
    frequent, because it makes them so, and where most is named wrong, of which it becomes sure; nobody can
    see that without a label.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> from regraft.methods import METHODS
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> model = METHODS["FineTune"]().fit(Problem(target_labelled=lab), small_mlp(1))
    >>> field = Problem(source_model=model, target=Domain([[0.1], [0.2], [1.2], [1.3]]))
    >>> SourceFreeSHOT().fit(field, model.backbone).predict([[0.15], [1.25]])
    ['low', 'high']
    """

    needs: ClassVar[frozenset[str]] = frozenset({"source_model", "target"})
    taught: ClassVar[str] = "source"  # the target, by the answers of the source's model
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    reference: ClassVar[str] = "Liang, Hu & Feng, ICML 2020, arXiv:2002.08546, section 3.2 and 3.3"
    map: ClassVar[tuple[str, ...]] = ("M26",)

    trained: int = param(1, "stages that learn, counted from the end", search=(1, 2, 4))
    held_out: float = param(0.0, "nothing can watch: there are no labels", search=(0.0,))
    rate: float = param(5e-4, "learning rate of the stages at its height", search=(1e-4, 5e-4, 2e-3))
    labels_weight: float = param(0.3, "b: how much the nearest means count", search=(0.0, 0.1, 0.3, 1.0))
    refresh: int = param(20, "steps after which the means are taken anew", search=(10, 20, 100))

    def lowest_trained(self, backbone: Backbone) -> int:
        return max(0, len(backbone) - self.trained)

    @property
    def augmented(self) -> frozenset[str]:
        return frozenset({"target"})

    def schedule(self, stages: int) -> Schedule:
        return Schedule(0.0, self.rate, (0.0,) * stages)

    def _given(self, problem: Problem, backbone: Backbone) -> tuple[Problem, Backbone]:
        """As `Method._given`; what the loop is taught by is the target, as the source's model names it."""
        problem, backbone = super()._given(problem, backbone)
        model, target = of_source_model(self, problem, backbone), problem.domains["target"]
        must_move(model)
        y = model.logits(target).argmax(1)
        return problem.having("source", target.with_(y=y, output=model.output)), backbone

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        model, target = problem.source_model, problem.domains["target"].x
        assert isinstance(model, Model)
        solved = model.head
        assert isinstance(solved, Linear)
        assert isinstance(target, Tensor)
        head = Linear.of(solved.weight.detach().float(), solved.bias.detach().float())
        classes, features = head.weight.shape
        return Network(backbone, head, following={"centroids": Centroids(classes, features, target)})

    def turns(self, network: Network) -> list[Turn]:
        return [Turn(self.objective, list(network.backbone.stages))]

    def objective(self, network: Network, step: Step) -> Terms:
        z = network.features(target_of(step))
        scores = network.head(z)
        label = nearest_labels(network, z, self.refresh)
        wrong = torch.nn.functional.cross_entropy(scores, label)
        return {"information": -information(scores), "labels": self.labels_weight * wrong}


def must_move(model: Model) -> None:
    """InputError where the source's model has no features that could move, or no head that could stay."""
    if not any(True for _ in model.backbone.parameters()):
        raise InputError(
            f"the source's model ({model.summary}) has no network inside that could be moved, only a head on "
            "what goes in: use it as it is, or adapt with samples of the source"
        )
    if not isinstance(model.head, Linear):
        raise InputError(
            f"the source's model ({model.summary}) has a head of kind {type(model.head).__name__}, and a "
            "linear head is what can stay as it is: give a probe or a fine-tuned network"
        )
