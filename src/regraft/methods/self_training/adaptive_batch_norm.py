"""AdaptiveBatchNorm: every domain is seen by statistics of its own."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from ...backbone import Backbone
from ...domain import Domain
from ...engine import one_thread
from ...errors import InputError
from ...features import embed
from ...heads.affine import Affine
from ...method import SMALL, Both, param
from ...model import Model
from ...problem import Problem
from ...recount import norms_of, recount_on
from ...training import Training
from ..both_sides import TwoSided, flattened


@final
@dataclass(frozen=True, kw_only=True)
class AdaptiveBatchNorm(TwoSided):
    """min_β Σ ℓ(φ_s(xᵢ)ᵀβ, yᵢ) over the source, read on φ_t;  BatchNorm of φ_d: (1 − a) · old + a · that of d

    φ_t is the network with BatchNorm's statistics mixed with those that are counted on the target, φ_s the
    same with the source's. No weight changes and no gradient descends. It helps where the target is lit,
    drawn or measured otherwise, which the statistics of a channel show and remove. Statistics also show how
    frequent classes are: where these differ it moves samples into wrong ones, and `centred` the more so. With
    N samples' worth of trust in the old statistics and n of the target, a = n / (N + n); a = 1 forgets them,
    and takes some hundred samples. a = 0 and not centred is SourceOnly.

    >>> from regraft import Backbone, Domain, Problem
    >>> phi = Backbone([("norm", nn.BatchNorm1d(1).eval())], name="norm")
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[7.0], [9.0]])
    >>> given = Problem(source=lab, target=field)
    >>> [AdaptiveBatchNorm(share=a).fit(given, phi).predict(field) for a in (0.0, 1.0)]
    [['high', 'high'], ['low', 'high']]
    """

    reference: ClassVar[str] = (
        "Li et al., Pattern Recognition 2018, arXiv:1603.04779, algorithm 1; "
        "Schneider et al., NeurIPS 2020, arXiv:2006.16971, eq. 2"
    )
    map: ClassVar[tuple[str, ...]] = ("M29",)

    share: float = param(0.5, "a: how much of the statistics is the domain's own", (0.0, 0.3, 0.5, 0.7, 1.0))
    source_too: bool = param(
        True, "whether the source is seen by its own statistics, or by the old ones", search=(False, True)
    )
    centred: bool = param(
        False, "whether the target's mean feature is moved to the source's", search=(False, True)
    )

    def lowest_trained(self, backbone: Backbone) -> int:
        """The first stage that has BatchNorm: all below see every domain alike."""
        for i, stage in enumerate(backbone.stages):
            if norms_of(stage):
                return i
        raise InputError(
            f"AdaptiveBatchNorm counts BatchNorm's statistics, and {backbone.name} has none: take a network "
            "with BatchNorm, or MatchedScales, which scales the features"
        )

    def learn_both(self, problem: Problem, backbone: Backbone, training: Training) -> Both:
        source, target = problem.domains["source"], problem.domains["target"]
        of_target = self._seen_by(backbone, target, training)
        of_source = self._seen_by(backbone, source, training) if self.source_too else backbone
        z = flattened(embed(of_source, source, None, training.engine))
        with one_thread(small=z.x.numel() < SMALL):
            head = self.taught_by(z, training)
        here: nn.Module = head
        if self.centred:
            seen = flattened(embed(of_target, target, None, training.engine)).x
            d = seen.shape[1]
            here = Affine.of_scale(torch.ones(d), z.x.mean(0) - seen.mean(0)).then(head)
        return Both(Model(of_target, here, source.asked), Model(of_source, head, source.asked))

    def _seen_by(self, backbone: Backbone, domain: Domain, training: Training) -> Backbone:
        """The network with the domain's share of statistics."""
        own = backbone.copied()
        own.old_head = None  # it belongs to the features as they were
        if self.share > 0:
            assert isinstance(domain.x, Tensor)
            with torch.no_grad():
                recount_on(own, domain.x, training.engine, self.share)
        return own.cpu()
