"""How much answers tell, without a label."""

from jaxtyping import Float
from torch import Tensor


def information(scores: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """H(p̄) − (1/n) Σ H(p_i):  the mutual information of samples and their answers, in nats

    p_i = softmax(scores_i), p̄ their mean. Most, log K, where every sample is sure and all classes are said
    equally often.

    Krause, Perona & Gomes, Discriminative clustering by regularized information maximization, NeurIPS 2010.

    >>> import torch
    >>> round(information(torch.tensor([[99.0, 0.0], [0.0, 99.0]])).item(), 3)
    0.693
    >>> abs(round(information(torch.tensor([[9.0, 0.0], [9.0, 0.0]])).item(), 3))
    0.0
    """
    log_p = scores.float().log_softmax(1)
    p = log_p.exp()
    mean = p.mean(0)
    return (p * log_p).sum(1).mean() - (mean * mean.clamp_min(1e-12).log()).sum()
