"""The empirical risk."""

from jaxtyping import Float
from torch import Tensor

from ..domain import Domain
from ..errors import InputError


def risk(logits: Float[Tensor, "n ..."], domain: Domain) -> Float[Tensor, ""]:
    """(1/n) Σ wᵢ ℓ(f(xᵢ), yᵢ), with wᵢ = 1 where the domain has no weights; ℓ belongs to its output, and
    looks only at entries of y that are observed.

    >>> import torch
    >>> coin = Domain([[0.0]], ["heads"]).with_(weight=torch.tensor([2.0]))
    >>> risk(torch.zeros(1, 1), coin).item()
    0.0
    """
    if domain.output is None or domain.y is None:
        raise InputError("risk needs labels: this domain is unlabelled")
    observed = None if domain.observed is None else domain.observed.to(logits.device)
    loss = domain.output.loss(logits, domain.y.to(logits.device), observed)
    return loss.mean() if domain.weight is None else (domain.weight.to(logits.device) * loss).mean()
