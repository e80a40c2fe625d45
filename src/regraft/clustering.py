"""What lies together among samples without labels, seen by what other samples taught."""

from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float, Int
from sklearn.metrics import silhouette_samples
from torch import Tensor
from torch.nn.functional import normalize

from .backbone import Backbone
from .backbones import open_backbone
from .domain import Domain
from .engine import one_thread
from .errors import InputError
from .features import Store, embed
from .heads.principal import principal
from .method import SMALL
from .samples import sample_names
from .seeds import seed_of
from .terms.clusters import centres_of, k_means
from .terms.prediction_strength import prediction_strength
from .text import aligned, plain, some_of
from .training import Training

COMPONENTS = 32  # principal ones, in which samples are compared
STRONG = 0.8  # prediction strength from which clusters are there (Tibshirani & Walther: 0.8 to 0.9)
LEAST = 20  # samples
MOST_CLUSTERS = 15  # that are tried
MOST_PAIRED = 3000  # samples that are all compared with all, for silhouettes
EXEMPLARS = 5


@final
@dataclass(frozen=True, eq=False)
class Clusters:
    """Samples that lie together.

    cluster: of every sample, 0 the largest. silhouettes: of every sample (of some, where they are many; the
    others are nan): how much nearer it is to its own cluster than to the next, from −1 to 1. exemplars: for
    each cluster the rows nearest to its centre. strengths: for every number of clusters that was tried, the
    prediction strength. reason: why there are so many.
    """

    target: Domain
    network: str
    cluster: Int[Tensor, " n"]
    silhouettes: Float[Tensor, " n"]
    exemplars: tuple[tuple[int, ...], ...]
    strengths: dict[int, float]
    reason: str

    def __len__(self) -> int:
        return len(self.exemplars)

    @property
    def sizes(self) -> list[int]:
        """Of every cluster."""
        return torch.bincount(self.cluster, minlength=len(self)).tolist()

    @property
    def silhouette(self) -> list[float]:
        """The mean silhouette of every cluster."""
        return [float(self.silhouettes[self.cluster == c].nanmean()) for c in range(len(self))]

    def __str__(self) -> str:
        names = sample_names(self.target.x)
        rows = [
            [str(c + 1), str(size), f"{s:.2f}", plain(some_of([names[i] for i in rows], 3))]
            for c, (size, s, rows) in enumerate(zip(self.sizes, self.silhouette, self.exemplars, strict=True))
        ]
        told = ", ".join(f"{k}: {strength:.2f}" for k, strength in self.strengths.items())
        return "\n".join(
            [
                f"{self.target}, seen by {self.network}",
                "",
                aligned(["cluster", "samples", "silhouette", "nearest to its centre"], rows),
                "",
                *([f"Prediction strength by number of clusters: {told}."] if told else []),
                f"{len(self)} clusters: {self.reason}.",
            ]
        )

    def to_json(self) -> dict[str, Any]:
        names = sample_names(self.target.x)
        return {
            "target": str(self.target),
            "backbone": self.network,
            "clusters": [
                {"size": size, "silhouette": round(s, 4), "exemplars": [names[i] for i in rows]}
                for size, s, rows in zip(self.sizes, self.silhouette, self.exemplars, strict=True)
            ],
            "prediction_strength": {str(k): round(v, 4) for k, v in self.strengths.items()},
            "reason": self.reason,
            "samples": dict(zip(names, (self.cluster + 1).tolist(), strict=True)),
        }


def cluster(
    target: Domain,
    source: Domain | None = None,
    *,
    clusters: int | None = None,
    backbone: Any = None,
    training: Training | None = None,
    store: Store | None = None,
) -> Clusters:
    """Self-taught clustering: k-means of the target, in the directions in which a source varies.

    source: other samples of the kind, without labels (or whose labels are not looked at): few samples of a
    target tell hardly along which directions samples differ, many of a source do. Without one, the target's
    own directions. backbone: anything that `open_backbone` takes, such as what `pretrain` made of the source;
    None for the best there is for such samples. clusters: how many; None takes the largest number whose
    prediction strength is 0.8 or more, two halves of the samples agreeing on who belongs together.

    Features are centred, taken to their first 32 principal components and to length 1, so that clusters are
    told apart by direction (but where there is one component alone); silhouettes are cosines' as well. A
    cluster is no class: what lies together may be a camera, a background or a day. Along one column both
    halves cut a cloud in the same place, whether clusters are there or not: look at the silhouettes.

    Raises InputError for fewer than 20 samples.

    Self-taught learning: Raina et al., ICML 2007; self-taught clustering: Dai et al., ICML 2008.

    >>> luck = torch.Generator().manual_seed(0)
    >>> x = torch.randn(60, 5, generator=luck) + 9 * torch.eye(5)[torch.arange(60) % 3]
    >>> found = cluster(Domain(x))
    >>> len(found), found.sizes
    (3, [20, 20, 20])
    """
    training, store = training or Training(), store or Store()
    if len(target) < LEAST:
        raise InputError(
            f"{len(target)} samples were given: give at least {LEAST}, of which clusters can be told"
        )
    if clusters is not None and not 2 <= clusters <= len(target) // 2:
        raise InputError(f"{clusters} clusters of {len(target)} samples: ask for 2 to {len(target) // 2}")
    seen = source.unlabelled() if source is not None else target.unlabelled()
    network = open_backbone(backbone, domain=seen)
    if not network.preprocessing.fitted:
        network = network.prepared_by(network.preprocessing.fit(seen.x))
    z = _features(network, target.unlabelled(), store, training)
    taught = z if source is None else _features(network, seen, store, training)
    space = principal([taught], COMPONENTS)
    with one_thread(small=z.numel() < SMALL):
        at = space(z)
        if at.shape[1] > 1:  # along a single one, directions are but two
            at = normalize(at, dim=1)
        return lying_together(target, network.name, at, clusters, training.seed)


def lying_together(
    target: Domain, network: str, at: Float[Tensor, "n d"], clusters: int | None, seed: int
) -> Clusters:
    """The clusters of samples that lie at these places: so many, or as many as are there.

    >>> places = torch.eye(3)[torch.arange(30) % 3] + 0.01 * torch.arange(30.0)[:, None]
    >>> lying_together(Domain(places), "no network", places, None, seed=0).sizes
    [10, 10, 10]
    """
    strengths, reason = {}, "as you asked"
    if clusters is None:
        most = min(MOST_CLUSTERS, len(at) // 6)
        strengths = {k: prediction_strength(at, k, seed_of(seed, "halves", k)) for k in range(2, most + 1)}
        clusters, reason = chosen(strengths)
    told = k_means(at, clusters, seed)
    if (there := len(told.unique())) < clusters:
        reason = f"{clusters} were to be told apart, and the samples lie at {there} different places"
    order = torch.bincount(told).argsort(descending=True, stable=True)
    told = order.argsort()[told]
    centres = centres_of(at, told)
    near = (at - centres[told]).square().sum(1)
    exemplars = []
    for c in range(len(centres)):
        mine = (told == c).nonzero().squeeze(1)
        exemplars.append(tuple(mine[near[mine].argsort(stable=True)[:EXEMPLARS]].tolist()))
    rows = torch.randperm(len(at), generator=torch.Generator().manual_seed(seed))[:MOST_PAIRED]
    silhouettes = torch.full((len(at),), float("nan"), dtype=torch.float64)
    if len(told[rows].unique()) > 1:
        silhouettes[rows] = torch.from_numpy(
            silhouette_samples(at[rows].numpy(), told[rows].numpy())
        ).double()
    return Clusters(target, network, told, silhouettes, tuple(exemplars), strengths, reason)


def chosen(strengths: dict[int, float]) -> tuple[int, str]:
    """How many clusters, and why.

    >>> chosen({2: 0.99, 3: 0.95, 4: 0.4})
    (3, 'the most of which another half of the samples finds each again (prediction strength 0.95)')
    >>> chosen({2: 0.5, 3: 0.6})[0]
    3
    """
    strong = [k for k, strength in strengths.items() if strength >= STRONG]
    if strong:
        why = "the most of which another half of the samples finds each again"
        return strong[-1], f"{why} (prediction strength {strengths[strong[-1]]:.2f})"
    k = max(strengths, key=lambda k: strengths[k])
    return k, (
        f"no number of them is found again by another half of the samples (at best {strengths[k]:.2f} of "
        f"{STRONG}): take these for a way to sort, not for groups that are there"
    )


def _features(network: Backbone, domain: Domain, store: Store, training: Training) -> Float[Tensor, "n d"]:
    seen = embed(network, domain, store, training.engine, training.progress).x
    assert isinstance(seen, Tensor)
    return seen.flatten(1).double()
