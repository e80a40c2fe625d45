"""Features as points of a plane."""

import warnings

import torch
from jaxtyping import Float
from torch import Tensor

ENOUGH = 0.5  # of the variance: then the first two principal components tell the most of it
MOST = 2000  # samples up to which t-SNE takes a few seconds
KEPT = 50  # principal components that t-SNE looks at


def plane(features: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n 2"], str]:
    """(the points, how they were found): principal components, or t-SNE where two of these tell too little.

    Principal components keep distances, and are what they are for any number of samples. Where the first
    two hold less than half of the variance they pile up what is apart; then t-SNE (van der Maaten & Hinton,
    JMLR 2008) shows who is next to whom, and the distances between clusters say nothing.

    >>> x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([3.0, 2.0, 0.1])
    >>> points, how = plane(x)
    >>> tuple(points.shape), how
    ((40, 2), 'the first two principal components, which hold 100 % of the variance')
    """
    x = features.flatten(1).double().nan_to_num(0.0, 0.0, 0.0)
    centred = x - x.mean(0)
    scale = float(centred.abs().max())
    u, s, _ = torch.linalg.svd(centred / (scale or 1.0), full_matrices=False)
    share = float(s[:2].pow(2).sum() / s.pow(2).sum().clamp_min(1e-30))
    components = torch.nn.functional.pad(u * s, (0, 2))
    if share >= ENOUGH or not 12 <= len(x) <= MOST:
        return components[:, :2], (
            f"the first two principal components, which hold {100 * share:.0f} % of the variance"
        )
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(x) - 1) / 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about its defaults, which change with scikit-learn's versions
        found = TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(
            components[:, :KEPT].numpy()
        )
    return torch.from_numpy(found).double(), (
        f"t-SNE with perplexity {perplexity:.0f}, because the first two principal components hold only "
        f"{100 * share:.0f} % of the variance: neighbours are alike, distances between clusters say nothing"
    )
