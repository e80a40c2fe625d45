"""Backbones from unlabelled samples, watched while they learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .backbone import Backbone
from .backbones import open_backbone, small_convnet, small_mlp, table, vectors, words
from .domain import Domain
from .errors import InputError
from .features import embed
from .folds import complement, judgeable, stratified_folds
from .methods.features.probe import probe_of
from .output.metrics import title
from .pretext import Pretext, Pretrained
from .pretexts import pretext_named
from .samples import kind_of, sizes_of
from .seeds import seed_of
from .selection.scores import scores_of
from .terms.rank import effective_rank
from .training import History, Training

WATCHED = 512  # samples of the pool whose features are looked at
FOLDS = 5
COLLAPSED = 0.1  # share of the rank before the first step, below which features have collapsed
SMALL_PICTURE, LARGE_PICTURE = 48, 64  # pixels a side up to which 32 are looked at, and what else is


def pretrain(
    pool: Domain,
    task: str | Pretext,
    backbone: Any = None,
    training: Training | None = None,
    *,
    labelled: Domain | None = None,
    budget: float | None = None,
) -> Pretrained:
    """A backbone that learned from a pool without labels; to be given to `compare`, `fit` or `save`.

    task: a name or a recipe. backbone: anything that `open_backbone` takes, to go on from what it has
    learned; None for a small network with random weights that suits the samples. labelled: a few samples
    with labels, by which a probe is judged while the backbone learns (five folds; it changes nothing about
    what is learned). budget: seconds of training; without it the task's own number of epochs.

    Raises InputError where the task cannot be made of such samples.

    >>> pool = Domain(torch.randint(256, (40, 8, 8), dtype=torch.uint8))
    >>> made = pretrain(pool, "rotation", budget=0.1)
    >>> made.backbone.pretrained, made.backbone.name
    (True, 'small convnet')
    """
    recipe = task if isinstance(task, Pretext) else pretext_named(task)()
    training = training or Training()
    network = fresh_network(pool) if backbone is None else open_backbone(backbone, domain=pool)
    if not network.preprocessing.fitted:
        network = network.prepared_by(network.preprocessing.fit(pool.x))
    watch = Watch.of(pool, labelled, network, training)
    made = recipe.pretrain(pool.unlabelled(), network, training, budget=budget, watch=watch)
    for line in collapse(made.history):
        training.progress.say(line)
    return made


def fresh_network(pool: Domain) -> Backbone:
    """A small network with random weights for such samples."""
    kind = kind_of(pool.x)
    if kind == "images":
        small = max(max(size) for size in sizes_of(pool.x)) <= SMALL_PICTURE
        side = 32 if small else LARGE_PICTURE
        return small_convnet((side, side))
    given = {"vectors": vectors, "table": table, "sparse": words}[kind]()
    rule = given.preprocessing.fit(pool.x)
    return small_mlp(rule(pool.x[torch.arange(1)]).shape[1], (256, 128)).prepared_by(rule)


@final
@dataclass(frozen=True, eq=False)
class Watch:
    """What is told of a backbone while it learns: of the pool's features, and by a probe on few labels.

    rank: the effective rank of the features of some of the pool. spread: the mean deviation of a feature, in
    units of its mean size. With labels the output's usual metric of a probe, each sample judged by folds
    without it.
    """

    pool: Tensor
    labelled: Domain | None
    folds: list[Int[Tensor, " m"]]
    training: Training

    @classmethod
    def of(cls, pool: Domain, labelled: Domain | None, network: Backbone, training: Training) -> "Watch":
        luck = torch.Generator().manual_seed(seed_of(training.seed, "watch"))
        rows = torch.randperm(len(pool), generator=luck)[:WATCHED]
        some = embed(network[:0], pool[rows], None, training.engine).x
        assert isinstance(some, Tensor)
        seen, folds = None, []
        if labelled is not None:
            seen = embed(network[:0], labelled, None, training.engine)
            folds = stratified_folds(labelled, FOLDS, training.seed)
            if not folds:
                raise InputError("every class has a single labelled sample: give two of some class at least")
        return cls(some, seen, folds, training)

    def __call__(self, backbone: Backbone) -> dict[str, float]:
        z = self._features(backbone, Domain(self.pool))
        size = z.abs().mean().clamp_min(1e-12)
        told = {"rank": effective_rank(z).item(), "spread": (z.std(0, correction=0).mean() / size).item()}
        if self.labelled is None:
            return told
        metric = self.labelled.asked.metrics[0]
        return {**told, title(metric): self._judged(backbone, self.labelled, metric)}

    def _judged(self, backbone: Backbone, labelled: Domain, metric: str) -> float:
        features = labelled.with_(x=self._features(backbone, labelled))
        kept = [complement(rows, len(labelled)) for rows in self.folds]
        heads = probe_of(labelled.asked).heads(features, kept, self.training)
        scores = torch.zeros(len(labelled), labelled.asked.width, dtype=torch.float64)
        judged = torch.zeros(len(labelled), dtype=torch.bool)
        with torch.no_grad():
            for head, rows in zip(heads, self.folds, strict=True):
                scores[rows] = head(features.x[rows]).double()
                judged[rows] = judgeable(labelled, rows)
        return scores_of(labelled.asked.expected(scores)[None], labelled, judged).value(metric)

    def _features(self, backbone: Backbone, domain: Domain) -> Float[Tensor, "n d"]:
        engine = self.training.of_steps().engine
        seen = embed(backbone.cut(0)[1], domain, None, engine).x
        assert isinstance(seen, Tensor)
        return seen.flatten(1).double()


def collapse(history: History) -> Sequence[str]:
    """What is wrong with the features, in words."""
    ranks = [(step, told["rank"]) for step, told in history.watched]
    if len(ranks) < 2 or ranks[-1][1] >= max(2.0, COLLAPSED * ranks[0][1]):
        return ()
    first = next(step for step, rank in ranks if rank < max(2.0, COLLAPSED * ranks[0][1]))
    return (
        f"the features have collapsed: their effective rank fell from {ranks[0][1]:.0f} to "
        f"{ranks[-1][1]:.1f} (step {first:,}); take another task, a lower rate, or larger batches",
    )
