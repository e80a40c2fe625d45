"""Features as points of a plane."""

import torch
from jaxtyping import Float
from torch import Tensor

ENOUGH = 0.5  # of the variance: then the first two principal components tell the most of it
LEAST, MOST = 12, 2000  # samples: fewer have no neighbourhoods, more take t-SNE many seconds
KEPT = 50  # principal components that t-SNE looks at


def plane(features: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n 2"], str]:
    """(the points, how they were found): principal components, or t-SNE where two of these tell too little.

    Principal components keep distances. Where the first two hold less than half of the variance they pile
    up what is apart; then t-SNE (van der Maaten & Hinton, JMLR 2008) shows who is next to whom.

    >>> x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([3.0, 2.0, 0.1])
    >>> points, how = plane(x)
    >>> tuple(points.shape), how
    ((40, 2), 'the first two principal components, which hold 100 % of the variance')
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    x = features.flatten(1).double().nan_to_num(0.0, 0.0, 0.0)
    centred = x - x.mean(0)
    scale = float(centred.abs().max())
    if scale == 0:
        return torch.zeros(len(x), 2, dtype=torch.float64), "their place: all of them are the same"
    found = PCA(min(KEPT, *x.shape), random_state=0).fit((centred / scale).numpy())
    components = torch.from_numpy(found.transform((centred / scale).numpy()))
    share = float(found.explained_variance_ratio_[:2].sum())
    if share >= ENOUGH or not LEAST <= len(x) <= MOST:
        return torch.nn.functional.pad(components, (0, 1))[:, :2], (
            f"the first two principal components, which hold {100 * share:.0f} % of the variance"
        )
    perplexity = min(30.0, (len(x) - 1) / 3)
    unfolded = TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(components.numpy())
    return torch.from_numpy(unfolded).double(), (
        f"t-SNE with perplexity {perplexity:.0f}, because the first two principal components hold only "
        f"{100 * share:.0f} % of the variance: neighbours are alike, distances between clusters say nothing"
    )
