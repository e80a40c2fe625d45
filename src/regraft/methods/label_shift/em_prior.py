"""EM on the target's class shares: the source's classifier, told how often each class occurs."""

import copy
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...certainty import fitted_temperature
from ...heads import Kernel, Linear
from ...method import param
from ...output import Classes
from ...terms.label_shift import em_priors
from ...training import Training
from ..both_sides import OnBothSides, Seen, Sides
from ..features.learners import LEARNERS, learner_of
from .held_out import class_shares, held_out_by


@final
@dataclass(frozen=True, kw_only=True)
class EMPrior(OnBothSides):
    """f_t(x)_c = h(x)_c / T + log(π_t,c / π_s,c),  π_t = argmax_π Σ log Σ_c (π_c / π_s,c) softmax(h(x) / T)_c

    h is the learner's head of the source and T the temperature at which it is calibrated, from held-out
    samples. The likelihood is that of the target, where classes have other shares and look the same; EM
    finds its maximum. `more` samples with the source's proportions are taken to be in the target, so that no
    class ends at 0. It is the strongest of the corrections of shares, and needs probabilities that mean what
    they say of the target: where the target looks otherwise, EM explains that by shares as well, and takes
    classes away that are there.

    >>> import torch
    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> x = torch.linspace(0, 1, 50)[:, None]
    >>> lab = Domain(torch.cat([x, x + 0.6]), ["low"] * 50 + ["high"] * 50)
    >>> field = Domain(torch.cat([x[::10], x + 0.6]))
    >>> model = EMPrior().fit(Problem(source=lab, target=field), vectors())
    >>> model.provenance["priors"]["high"] > 0.8, model.predict([[0.7]])
    (True, ['high'])
    """

    reference: ClassVar[str] = (
        "Saerens, Latinne & Decaestecker, Neural Computation 2002, eq. 2.4 and 2.9; "
        "Alexandari, Kundaje & Shrikumar, ICML 2020, arXiv:1901.06852, for calibrating first"
    )
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    map: ClassVar[tuple[str, ...]] = ("M29",)

    learner: str = param(
        "probe", "what learns: auto, the probe of the output, cautious, ridge, or kernel", LEARNERS
    )
    more: float = param(
        1.0, "samples with the source's proportions that are added to the target", search=(0.0, 1.0, 10.0)
    )
    folds: int = param(5, "folds of the source, each told by the others", search=(3, 5, 10))

    def sides(self, seen: Seen, training: Training) -> Sides:
        source, classes = seen.source, seen.source.classes
        held = held_out_by(learner_of(self.learner, classes), source, self.folds, training)
        known = source.labels[held.rows]
        temperature = fitted_temperature(held.logits[None], known) if len(known) else 1.0
        head = rescored(self.taught_by(source, training), 1 / temperature, torch.zeros(classes.width))
        with torch.no_grad():
            log_p = head(seen.target).double().log_softmax(1)
        source_priors = class_shares(source, more=1)
        priors = em_priors(log_p, source_priors, self.more)
        told = {"priors": dict(zip(classes.names, priors.tolist(), strict=True))}
        ratio = (priors / source_priors).clamp_min(LEAST).log()
        return Sides(rescored(head, 1.0, ratio), head, told)


LEAST = 1e-6  # of π_t / π_s, whose logarithm has to be finite


def rescored(head: nn.Module, factor: float, offset: Float[Tensor, " k"]) -> nn.Module:
    """z ↦ factor · head(z) + offset: the learners' heads are linear in their weights.

    >>> head = Linear.of(torch.ones(2, 1), torch.zeros(2))
    >>> rescored(head, 3.0, torch.tensor([0.0, 1.0]))(torch.ones(1, 1)).tolist()
    [[3.0, 4.0]]
    """
    assert isinstance(head, Linear | Kernel)
    changed = copy.deepcopy(head)
    with torch.no_grad():
        changed.weight.mul_(factor)
        changed.bias.mul_(factor).add_(offset)
    return changed
