"""One number that makes probabilities mean what they say."""

import torch
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn.functional import one_hot

COOLEST, HOTTEST = -4.0, 4.0  # of log T: from a fiftieth to fifty


def fitted_temperature(logits: Float[Tensor, "r n k"], y: Int[Tensor, " n"]) -> float:
    """argmin_T Σᵢ −Σ_c tᵢ_c log softmax(logitsᵢ / T)_c,  tᵢ_c = (n [c = yᵢ] + 1/k)/(n + 1)

    logits: what models that have not seen the sample say of it, for r repeats; −∞ for a class that a model
    has seen nothing of, which then has no part in k. The loss is convex in 1/T.
    The targets are those that one more sample of unknown class would leave, as Platt (1999) has them for two
    classes: without it few samples that are all told right would ask for probabilities of 1.

    Guo et al., On calibration of modern neural networks, 2017, arXiv:1706.04599.

    >>> y = torch.arange(400) % 2
    >>> said = 5.0 * torch.nn.functional.one_hot(y, 2).double()  # sure of everything: e⁵ to 1
    >>> said[:100] = said[:100].flip(1)  # and wrong in a quarter: three to one
    >>> f"{fitted_temperature(said[None], y):.1f} {5 / torch.log(torch.tensor(3.0)):.1f}"
    '4.6 4.6'
    """
    n, k = logits.shape[1:]
    logits = logits.double()
    known = logits.isfinite()
    target = (n * one_hot(y, k).double() + known / known.sum(2, keepdim=True)) / (n + 1)

    def loss(log_t: float) -> float:
        log_p = (logits / torch.tensor(log_t).double().exp()).log_softmax(2)
        return float(-(target * log_p)[known].sum())

    found = minimize_scalar(loss, bounds=(COOLEST, HOTTEST), method="bounded", options={"xatol": 1e-4})
    return float(torch.tensor(found.x).double().exp())
