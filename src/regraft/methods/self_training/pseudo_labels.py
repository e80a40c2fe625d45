"""Pseudo-labels: what is surely said of a sample is its label, and all is learned again."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch

from ...domain import Domain
from ...method import param
from ...output import Classes
from ...training import Training
from ..both_sides import OnBothSides, Seen, Sides
from ..features.learners import LEARNERS


@final
@dataclass(frozen=True, kw_only=True)
class PseudoLabels(OnBothSides):
    """min_h Σ_s ℓ(h(z_s), y_s) + Σ_{t: max_c p_tc ≥ τ} ℓ(h(z_t), argmax_c p_tc),  p by the round before

    p_t is what the head of the round before says of sample t, at first the head of the labelled samples
    alone. It is self-training as it is mostly meant: one threshold τ for all classes, and `rounds` of it. It
    helps where the first head is right about what it is sure of, and has something left to learn: heaps with
    gaps between them. It harms where the first head is wrong and sure: it then learns its own mistakes and is
    surer of them with every round (confirmation bias), and a class that is told a little too often swallows
    its neighbours, round by round: of digits by their pixels, with 4 and 10 labels a class and a pool of
    1,500, it was 19 and 12 points behind the probe of the labels alone. Nothing here stops that, and no plan
    tries it; it is there to be compared with.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> few = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> pool = Domain([[0.2], [0.05], [1.15], [1.2]])
    >>> model = PseudoLabels().fit(Problem(target_labelled=few, unlabelled=pool), vectors())
    >>> model.predict([[0.2], [0.9]]), model.provenance["labelled_by_itself"]
    (['low', 'high'], 4)
    """

    reference: ClassVar[str] = (
        "Yarowsky, ACL 1995; Lee, ICML workshop on challenges in representation learning, 2013"
    )
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    semi: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M25",)

    learner: str = param(
        "ridge", "what learns: auto, the probe of the output, cautious, ridge, or kernel", LEARNERS
    )
    threshold: float = param(0.9, "τ: least probability of a label", search=(0.5, 0.8, 0.9, 0.95))
    rounds: int = param(5, "how often all is learned again", search=(1, 5, 10))

    def sides(self, seen: Seen, training: Training) -> Sides:
        source, target = seen.source, seen.target
        own = torch.ones(len(source)) if source.weight is None else source.weight
        head = self.taught_by(source, training)
        kept = 0
        for _ in range(self.rounds):
            with torch.no_grad():
                confidence, label = head(target).double().softmax(1).max(1)
            sure = confidence >= self.threshold
            kept = int(sure.sum())
            taught = Domain(
                torch.cat([source.x, target[sure]]),
                torch.cat([source.labels, label[sure]]),
                source.classes,
                weight=torch.cat([own, torch.ones(kept)]),
            )
            head = self.taught_by(taught, training)
        return Sides(head, head, {"labelled_by_itself": kept})
