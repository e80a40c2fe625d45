"""Products of all pairs of samples; where most numbers are 0, as in counts of words, without these."""

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

MOSTLY_NOTHING = 0.05  # share of numbers that are not 0, up to which products without the others are faster
WORTH_IT = 1 << 20  # numbers below which nothing is gained
CANCELS = 1e-6  # share of all squares below which what is left about the means would lose its digits


def mostly_nothing(x: Float[Tensor, "n d"]) -> bool:
    """Whether there are many numbers, and so few that are not 0 that products without the others pay.

    >>> mostly_nothing(torch.ones(2000, 1000)), mostly_nothing(torch.eye(2000))
    (False, True)
    """
    return x.numel() >= WORTH_IT and int(torch.count_nonzero(x)) <= MOSTLY_NOTHING * x.numel()


def gram(x: Float[Tensor, "*p n d"]) -> Float[Tensor, "*p n n"]:
    """x xᵀ in float64.

    >>> gram(torch.tensor([[1.0, 0.0], [1.0, 2.0]])).tolist()
    [[1.0, 1.0], [1.0, 5.0]]
    """
    if x.ndim == 2 and mostly_nothing(x):
        thin = scipy.sparse.csr_array(x.double().numpy())
        return torch.from_numpy((thin @ thin.T).toarray())
    # by numpy, which knows that a product with its own transpose is symmetric: half the time of torch's
    a: np.ndarray = x.double().numpy()
    return torch.from_numpy(a @ a.swapaxes(-1, -2))


def about_means(
    pairs: Float[Tensor, "n n"], group: Int[Tensor, " n"], weight: Float[Tensor, " n"] | None = None
) -> Float[Tensor, "n n"]:
    """The products of all pairs once each sample is less the weighted mean of its group.

    >>> x = torch.tensor([[1.0], [3.0], [10.0]])
    >>> about_means(gram(x), torch.tensor([0, 0, 1])).tolist()
    [[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    member = one_hot(group).double()
    share = member if weight is None else member * weight.double()[:, None]
    share = share / share.sum(0)
    to_mean = pairs @ share  # of each sample with each mean
    moved = to_mean - (member @ (share.T @ to_mean)) / 2
    return pairs - moved @ member.T - member @ moved.T


def gram_about_means(
    x: Float[Tensor, "*p n d"],
    centred: Float[Tensor, "*p n d"],
    group: Int[Tensor, " n"],
    weight: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, "*p n n"]:
    """The products of all pairs of centred samples, by way of x where it is mostly 0, as `centred` is not.

    centred: x less the weighted mean of each group. Columns that are large and hardly vary, as a year does,
    leave nothing of the rest in the products of x: then those of `centred` are taken.

    >>> x, alike = torch.tensor([[1.0], [3.0]]), torch.tensor([0, 0])
    >>> gram_about_means(x, x - 2, alike).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    if x.ndim == 2 and mostly_nothing(x):
        pairs = gram(x)
        found = about_means(pairs, group, weight)
        if found.trace() > CANCELS * pairs.trace():
            return found
    return gram(centred)
