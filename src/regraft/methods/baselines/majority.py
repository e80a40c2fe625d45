"""The most frequent class, always."""

from dataclasses import dataclass
from typing import ClassVar, final

from torch import nn

from ...domain import Domain
from ...heads import Constant
from ...method import OnFeatures
from ...output import OUTPUTS
from ...training import Training


@final
@dataclass(frozen=True, kw_only=True)
class Majority(OnFeatures):
    """f(x)_c = log((n_c + 1) / (n + k))  for every x

    n_c of the n samples are of class c (all count alike), and there are k classes. What looks at nothing
    can do this well, so no number below it is worth anything. It harms nobody, and helps only as a row of
    the table.

    >>> from regraft.backbones import vectors
    >>> from regraft.problem import Problem
    >>> data = Domain([[0.0], [1.0], [2.0]], ["owl", "crow", "owl"])
    >>> Majority().fit(Problem(target_labelled=data), vectors()).predict([[9.0]])
    ['owl']
    """

    outputs: ClassVar[frozenset[str]] = frozenset(OUTPUTS)
    borrows: ClassVar[bool] = False
    reference: ClassVar[str] = "Laplace's rule of succession, Essai philosophique sur les probabilités, 1814"
    map: ClassVar[tuple[str, ...]] = ("N1",)

    def head(self, features: Domain, training: Training) -> nn.Module:
        scores = features.asked.prior(features.labels, features.observed)
        return Constant(len(scores), scores)
