"""How often classes are where there are no labels."""

from jaxtyping import Float
from torch import Tensor

STEPS = 1000
SETTLED = 1e-8


def em_priors(log_p: Float[Tensor, "n k"], source_priors: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    """argmax_π Σᵢ log Σ_c P(c | xᵢ) π_c / P_source(c), by expectation and maximisation

    log_p: calibrated log P(class | sample) under the priors of the source, for samples of the target. It is
    the likelihood of the target's samples if only the class frequencies differ (Saerens, Latinne &
    Decaestecker, Neural Computation 14, 2002), and it is concave in π.

    >>> import torch
    >>> log_p = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]]).log()
    >>> em_priors(log_p, torch.tensor([0.5, 0.5])).round(decimals=2).tolist()
    [0.81, 0.19]
    """
    odds = log_p.double() - source_priors.double().clamp_min(1e-12).log()
    priors = source_priors.double() / source_priors.sum()
    for _ in range(STEPS):
        before = priors
        priors = (odds + before.clamp_min(1e-300).log()).softmax(1).mean(0)
        if float((priors - before).abs().max()) < SETTLED:
            break
    return priors
