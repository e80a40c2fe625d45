"""How much two ways to sort the same samples have in common."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def adjusted_mutual_information(a: Int[Tensor, " n"], b: Int[Tensor, " n"]) -> float:
    """(I(a, b) − E I) / (½ (H(a) + H(b)) − E I)

    E I is the mean of I where the same classes are dealt out at random. 1 for the same parts under whatever
    names, around 0 for chance, however many parts there are. Two sortings into one part each are the same.
    Vinh, Epps & Bailey, JMLR 2010, eq. 10 and 24a.

    >>> a = torch.tensor([0, 0, 1, 1, 2, 2])
    >>> round(adjusted_mutual_information(a, (a + 1) % 3), 6)
    1.0
    >>> adjusted_mutual_information(a, torch.zeros_like(a))
    0.0
    """
    a, b = a.unique(return_inverse=True)[1], b.unique(return_inverse=True)[1]
    rows, columns = int(a.max()) + 1, int(b.max()) + 1
    if rows == columns == 1:
        return 1.0
    if rows == 1 or columns == 1:
        return 0.0
    table = torch.bincount(a * columns + b, minlength=rows * columns).view(rows, columns)
    of_a, of_b = table.sum(1), table.sum(0)
    chance = expected_information(of_a, of_b)
    most = (entropy(of_a) + entropy(of_b)) / 2
    shared = entropy(of_a) + entropy(of_b) - entropy(table.flatten())
    if most - chance < 1e-12 * most:  # every sample is a part of its own, in both
        return 1.0
    return (shared - chance) / (most - chance)


def entropy(counts: Int[Tensor, " k"] | Float[Tensor, " k"]) -> float:
    """−Σ p log p of the shares p of these counts.

    >>> round(entropy(torch.tensor([5, 5, 0])), 4)
    0.6931
    """
    p = counts.double() / counts.sum()
    return float(torch.special.entr(p).sum())


def expected_information(of_a: Int[Tensor, " r"], of_b: Int[Tensor, " c"]) -> float:
    """The mean mutual information of two sortings with parts of these sizes, one dealt out at random.

    Σ over parts Σ_x (x/n) log(n x / (a b)) P(x), where the number x of samples that a part of size a and one
    of size b share is hypergeometric:
    P(x) = a! b! (n − a)! (n − b)! / (n! x! (a − x)! (b − x)! (n − a − b + x)!).

    >>> expected_information(torch.tensor([2]), torch.tensor([1, 1]))
    0.0
    """
    n = int(of_a.sum())
    log_factorial = torch.lgamma(torch.arange(n + 1, dtype=torch.float64) + 1)
    total = 0.0
    for a in of_a.tolist():
        for b in of_b.tolist():
            x = torch.arange(max(1, a + b - n), min(a, b) + 1)
            ways = log_factorial[[a, b, n - a, n - b]].sum() - log_factorial[n]
            ways = ways - (log_factorial[x] + log_factorial[a - x] + log_factorial[b - x])
            chance = (ways - log_factorial[n - a - b + x]).exp()
            total += float((chance * x / n * (n * x.double() / (a * b)).log()).sum())
    return total
