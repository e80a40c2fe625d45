"""A look at a backbone while it learns, which changes nothing about what it learns."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .backbone import Backbone
from .domain import Domain
from .errors import InputError
from .features import embed
from .folds import complement, judgeable, stratified_folds
from .methods.features.probe import probe_of
from .output.metrics import title
from .seeds import seed_of
from .selection.scores import scores_of
from .terms.rank import effective_rank
from .training import History, Training

WATCHED = 512  # samples of the pool whose features are looked at
FOLDS = 5
COLLAPSED = 0.25  # share of the rank before the first step, below which features have collapsed
LEAST_RANK = 2.0  # below which all that differs is along one line


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
                raise InputError(
                    "every label has a single sample (or all are of one group): give two of some class at "
                    "least, of different groups"
                )
        return cls(some, seen, folds, training)

    def __call__(self, backbone: Backbone) -> dict[str, float]:
        z = self._features(backbone, Domain(self.pool))
        if not z.isfinite().all():
            return dict.fromkeys(("rank", "spread"), float("nan"))
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


def collapse(history: History) -> tuple[str, ...]:
    """What is wrong with the features, in words."""
    (_, before), *ranks = [(step, told["rank"]) for step, told in history.watched] or [(0, 0.0)]
    if not ranks or ranks[-1][1] >= max(LEAST_RANK, COLLAPSED * before):
        return ()
    if before < LEAST_RANK:
        return (
            f"the features hardly differ: their effective rank was {before:.1f} before the first step, and "
            f"is {ranks[-1][1]:.1f}; look whether the samples of the pool differ",
        )
    first = next(step for step, rank in ranks if rank < max(LEAST_RANK, COLLAPSED * before))
    return (
        f"the features have collapsed: their effective rank fell from {before:.0f} to "
        f"{ranks[-1][1]:.1f} (step {first:,}); take another task, a lower rate, or larger batches",
    )
