"""What pulls predictions away from certainty."""

from jaxtyping import Float
from torch import Tensor


def uniform_risk(logits: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """(1/n) Σᵢ −(1/k) Σ_c log p_c(xᵢ): the cross-entropy of labels that say nothing.

    (1 − ε) times the risk plus ε times this is the risk of labels smoothed by ε.
    Szegedy et al., Rethinking the Inception architecture, CVPR 2016, arXiv:1512.00567.

    >>> import torch
    >>> uniform_risk(torch.zeros(3, 4)).item() == torch.tensor(4.0).log().item()
    True
    """
    return -logits.log_softmax(1).mean()
