"""How often each class occurs among samples without labels, where p(x | y) is the same in both domains."""

import torch
from jaxtyping import Float
from scipy.optimize import nnls
from torch import Tensor

from .mixture import mixture_proportions

EXACT = 1e4  # beside equations between shares, the weight of one that has to hold


def em_priors(
    log_p: Float[Tensor, "m k"], source_priors: Float[Tensor, " k"], more: float = 0.0
) -> Float[Tensor, " k"]:
    """π_t = argmax_π Σ_i log Σ_c (π_c / π_s,c) p_s(c | xᵢ)

    It is what EM goes to. log_p: what a calibrated classifier of the source says of samples of the target.
    more: so many samples with the source's proportions are taken to be among them.

    Saerens, Latinne & Decaestecker, Neural Computation 2002, eq. 2.9.

    >>> said = torch.tensor([[0.8, 0.2]] * 7 + [[0.2, 0.8]] * 3).log()  # 0.7 = 0.8 q + 0.2 (1 − q)
    >>> [round(share, 4) for share in em_priors(said, torch.tensor([0.5, 0.5])).tolist()]
    [0.8333, 0.1667]
    """
    source = source_priors.double()
    return mixture_proportions(log_p.double() - source.log(), more * source)


def bbse_weights(
    confusion: Float[Tensor, "k k"], said: Float[Tensor, " k"], ridge: float = 0.0
) -> Float[Tensor, " k"]:
    """w = argmin over w ≥ 0, Σ_c π_s,c w_c = 1 of ‖C w − μ‖² + ridge² Σ_c π_s,c (w_c − 1)²

    C_jc is the share of held-out samples of the source that are of class c and said to be j, π_s its column
    sums, and μ_j the share of the target that is said to be j, by the same classifier; shares of probability
    serve as well as shares of votes. Without ridge, and where nothing is negative, w = C⁻¹ μ. A class that
    the source has not shown gets 1.

    Lipton, Wang & Smola, ICML 2018, arXiv:1802.03916, eq. 2; Azizzadenesheli et al., ICLR 2019,
    arXiv:1903.09734, for the distance to 1.

    >>> confusion = torch.tensor([[0.4, 0.1], [0.1, 0.4]])
    >>> [round(each, 4) for each in bbse_weights(confusion, torch.tensor([0.65, 0.35])).tolist()]
    [1.5, 0.5]
    """
    confusion, said = confusion.double(), said.double()
    priors = confusion.sum(0)
    shown = priors > 0
    c, held = confusion[:, shown], priors[shown]
    rows = torch.cat([c, ridge * held.sqrt().diag(), EXACT * held[None]])
    goal = torch.cat([said, ridge * held.sqrt(), held.new_tensor([EXACT])])
    found = torch.from_numpy(nnls(rows.numpy(), goal.numpy())[0])
    weight = torch.ones_like(priors)
    weight[shown] = found / (held * found).sum()
    return weight
