"""Deep embedded validation: the importance-weighted risk, with what its weights are known to do taken out."""

from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from .trial import LabelFree, Trial

FLOOR = 2.2e-16  # no probability counts as less: one sample said to be impossible would be the whole score


@final
class DEV(LabelFree):
    """−[mean(w ℓ) + η mean(w) − η],  η = −cov(w ℓ, w) / var(w), over the held-out samples of the source

    ℓᵢ = −log p_{yᵢ}(xᵢ), w = p_target / p_source. The weights' mean is known to be 1, so what their chance
    mean adds to the weighted risk is taken out by regression (a control variate). It works where importance
    weighting does. Where weights are extreme η is chance as well, and the loss of few samples decides: it
    must not choose among methods. In SKADA-Bench's recorded results what it chose was 12.5 points below
    source only on average.

    >>> import torch
    >>> from types import SimpleNamespace
    >>> from regraft import Domain
    >>> birds = Domain(torch.zeros(2, 1), ["crow", "owl"])
    >>> even = SimpleNamespace(
    ...     samples=birds, ratio=torch.ones(2), said=torch.tensor([[0.5, 0.5], [0.75, 0.25]]).log()
    ... )
    >>> risk = torch.tensor([0.5, 0.25]).log().mean().item()
    >>> round(DEV()(SimpleNamespace(held_out=even)), 3), round(risk, 3)
    (-1.04, -1.04)
    """

    name: ClassVar[str] = "DEV"
    kind: ClassVar[str] = "source"
    ranks: ClassVar[bool] = False
    asks_source: ClassVar[bool] = True
    reference: ClassVar[str] = "You, Wang, Long & Jordan, ICML 2019, arXiv:2606.04665"
    warning: ClassVar[str] = "a few samples of large weight decide: never rank methods by it"

    def __call__(self, trial: Trial) -> float:
        held_out = trial.held_out
        assert held_out is not None
        told = held_out.said.gather(1, held_out.samples.labels[:, None]).squeeze(1)
        loss = -told.double().clamp_min(torch.tensor(FLOOR).log().item())
        return -controlled(loss, held_out.ratio.double())


def controlled(loss: Float[Tensor, " h"], w: Float[Tensor, " h"]) -> float:
    """mean(w ℓ) + η (mean(w) − 1) with the η of least variance; 0 where all weights are equal.

    >>> w = torch.tensor([0.5, 1.0, 3.0])
    >>> round(controlled(torch.full((3,), 2.0), w), 6)  # a loss that is always 2, whatever the weights
    2.0
    """
    weighted = w * loss
    apart = w - w.mean()
    variance = apart.square().sum()
    eta = -((weighted - weighted.mean()) * apart).sum() / variance if variance > 0 else torch.tensor(0.0)
    return float(weighted.mean() + eta * (w.mean() - 1))
