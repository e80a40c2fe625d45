"""How many directions there are in features."""

import torch
from jaxtyping import Float
from torch import Tensor


def effective_rank(z: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """exp H(σ / Σ σ):  σ the singular values of z less its mean, H the entropy in nats

    Between 1, where all lies on a line (or nothing differs), and the smaller of n and d.

    Roy & Vetterli, The effective rank, EUSIPCO 2007, eq. 2; of representations: Garrido et al., RankMe, ICML
    2023, arXiv:2210.02885.

    >>> round(effective_rank(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])).item(), 6)
    2.0
    """
    values = torch.linalg.svdvals(z.double() - z.double().mean(0))
    p = values / values.sum().clamp_min(1e-300)
    entropy: Tensor = -(p * p.clamp_min(1e-300).log()).sum()
    return entropy.exp()
