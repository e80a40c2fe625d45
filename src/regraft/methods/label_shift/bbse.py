"""BBSE: how often each class occurs in the target, from what the source's classifier confuses."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import one_hot

from ...method import param
from ...output import Classes
from ...terms.label_shift import bbse_weights
from ...training import Training
from ..both_sides import OnBothSides, Seen, Sides
from ..features.learners import LEARNERS, learner_of
from .held_out import HeldOut, class_shares, held_out_by, weights_of


@final
@dataclass(frozen=True, kw_only=True)
class BBSE(OnBothSides):
    """min_h Σ w_{yᵢ} ℓ(h(xᵢ), yᵢ) over the source,  w ≈ C⁻¹ μ the ratio of the classes' shares π_t / π_s

    C_jc = mean of p_j(xᵢ) [yᵢ = c] over held-out samples of the source and μ_j = mean of p_j(x) over the
    target, of the same heads, one a fold. w is solved for with w ≥ 0 and `ridge` pulling it to 1, none above
    `largest`. It helps where classes are more or less frequent in the target and look the same in both
    domains: a bad classifier is enough, as long as C can be inverted. Where samples of a class look otherwise
    in the target, what is confused tells nothing about shares, and the weights can take a class away that is
    there. EMPrior needs fewer samples, and calibrated probabilities.

    >>> import torch
    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> x = torch.linspace(0, 1, 50)[:, None]
    >>> lab = Domain(torch.cat([x, x + 0.6]), ["low"] * 50 + ["high"] * 50)
    >>> field = Domain(torch.cat([x[::10], x + 0.6]))
    >>> model = BBSE().fit(Problem(source=lab, target=field), vectors())
    >>> model.provenance["priors"]["high"] > 0.8
    True
    """

    reference: ClassVar[str] = "Lipton, Wang & Smola, ICML 2018, arXiv:1802.03916, Algorithm 1"
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    map: ClassVar[tuple[str, ...]] = ("M29",)

    learner: str = param(
        "probe", "what learns: auto, the probe of the output, cautious, ridge, or kernel", LEARNERS
    )
    ridge: float = param(
        0.5, "pull of the weights to 1, in units of the error √(1/n + 1/m) of a share", search=(0.0, 0.5, 2.0)
    )
    largest: float = param(20.0, "the largest weight of a class", search=(5.0, 20.0, 100.0))
    folds: int = param(5, "folds of the source, each told by the others", search=(3, 5, 10))

    def sides(self, seen: Seen, training: Training) -> Sides:
        source, classes = seen.source, seen.source.classes
        held = held_out_by(learner_of(self.learner, classes), source, self.folds, training)
        weight = self._weights(seen, held)
        head = self.taught_by(source.with_(weight=weights_of(source) * weight[source.labels]), training)
        priors = class_shares(source) * weight
        told = {"priors": dict(zip(classes.names, (priors / priors.sum()).tolist(), strict=True))}
        return Sides(head, head, told)

    def _weights(self, seen: Seen, held: HeldOut) -> Float[Tensor, " k"]:
        """w of every class; 1 where nothing could be held out."""
        if not len(held.rows):
            return torch.ones(seen.source.classes.width).double()
        source = seen.source[held.rows]
        member = one_hot(source.labels, source.classes.width) * weights_of(source)[:, None]
        confusion = held.logits.double().softmax(1).T @ member / member.sum()
        with torch.no_grad():
            said = torch.stack([head(seen.target).double().softmax(1).mean(0) for head in held.heads]).mean(0)
        noise = (1 / len(source) + 1 / len(seen.target)) ** 0.5
        return bbse_weights(confusion, said, self.ridge * noise).clamp_max(self.largest)
