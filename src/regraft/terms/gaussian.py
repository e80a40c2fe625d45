"""How far a normal distribution is from the standard one."""

from jaxtyping import Float
from torch import Tensor


def kl_to_standard(mean: Float[Tensor, "n k"], log_variance: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
    """KL(N(μ, diag σ²) ‖ N(0, I)) = ½ Σ_j (μ_j² + σ_j² − log σ_j² − 1), in nats

    Kingma & Welling, ICLR 2014, arXiv:1312.6114, appendix B.

    >>> import torch
    >>> kl_to_standard(torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2)).item()
    0.5
    """
    return (mean.square() + log_variance.exp() - log_variance - 1).sum(1) / 2
