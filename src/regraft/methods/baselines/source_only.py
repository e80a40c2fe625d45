"""The source's classifier, used on the target as it is."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...training import Training
from ..both_sides import OnBothSides, Seen, Sides


@final
@dataclass(frozen=True, kw_only=True)
class SourceOnly(OnBothSides):
    """min_h Σ ℓ(h(φ(xᵢ)), yᵢ) over the source; the target is not looked at

    What every adaptation has to beat, by the same learner on the same features: where labels of the target
    choose nothing, half of all published adaptations do not. It is right where the domains differ in nothing
    that the features see, and nothing is safer where nobody can tell what differs.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [0.9]])
    >>> SourceOnly().fit(Problem(source=lab, target=field), vectors()).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Ben-David et al., Machine Learning 2010, for what it risks"
    source_alone: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M28",)

    def sides(self, seen: Seen, training: Training) -> Sides:
        head = self.taught_by(seen.source, training)
        return Sides(head, head)
