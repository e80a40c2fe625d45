"""The model that is left of a source, used on the target as it is."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...backbone import Backbone
from ...method import Method
from ...model import Model
from ...problem import Problem
from ...training import Training
from ..of_source_model import of_source_model


@final
@dataclass(frozen=True, kw_only=True)
class SourceModelOnly(Method):
    """h∘φ as the source left it; the target is not looked at

    What every adaptation without samples of the source has to beat. φ is the network of
    `problem.source_model` and h its head; both stay as they are, and so does how sure its answers are. It is
    right where the target differs in nothing that the network sees, and nothing is safer where nobody can
    tell what differs.

    >>> from regraft import Domain
    >>> from regraft.backbones import vectors
    >>> from regraft.methods import METHODS
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> model = METHODS["LinearProbe"]().fit(Problem(target_labelled=lab), vectors())
    >>> field = Problem(source_model=model, target=Domain([[0.2], [0.9]]))
    >>> SourceModelOnly().fit(field, model.backbone).predict([[0.2], [0.9]])
    ['low', 'high']
    """

    needs: ClassVar[frozenset[str]] = frozenset({"source_model", "target"})
    taught: ClassVar[str] = "source"
    source_alone: ClassVar[bool] = True
    reference: ClassVar[str] = "Liang, Hu & Feng, ICML 2020, arXiv:2002.08546, section 4, its “source only”"
    map: ClassVar[tuple[str, ...]] = ("M26",)

    def _given(self, problem: Problem, backbone: Backbone) -> tuple[Problem, Backbone]:
        problem, backbone = super()._given(problem, backbone)
        of_source_model(self, problem, backbone)
        return problem, backbone

    def learn(self, problem: Problem, backbone: Backbone, training: Training) -> Model:
        left = of_source_model(self, problem, backbone)
        return Model(backbone, left.head, left.output, certainty=left.certainty)
