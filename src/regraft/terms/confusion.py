"""How much classes are mistaken for each other, by the probabilities of samples without labels."""

from jaxtyping import Float
from torch import Tensor


def class_confusion(scores: Float[Tensor, "n k"], temperature: float) -> Float[Tensor, ""]:
    """(1/K) Σ_j Σ_{l≠j} C̃_jl,  C_jl = Σ_i w_i p_ij p_il,  C̃_jl = C_jl / Σ_l' C_jl'

    p_i = softmax(scores_i / temperature), w_i = n (1 + e^(−H_i)) / Σ_i' (1 + e^(−H_i')) with H_i the entropy
    of p_i: samples that are sure of a class count for up to twice as much. No gradient goes through w. Rows
    that sum to 1 make the rare classes count as much as the frequent ones.

    Jin et al., Minimum class confusion, ECCV 2020, arXiv:1912.03699, section 3.

    >>> import torch
    >>> class_confusion(torch.zeros(3, 4), 2.5).item()
    0.75
    """
    log_p = (scores.float() / temperature).log_softmax(1)
    p = log_p.exp()
    sure = 1 + (p * log_p).sum(1).detach().exp()
    weight = len(p) * sure / sure.sum()
    confusion = (weight[:, None] * p).T @ p
    rows = confusion / confusion.sum(1, keepdim=True).clamp_min(1e-12)
    return (rows.sum() - rows.trace()) / len(rows)
