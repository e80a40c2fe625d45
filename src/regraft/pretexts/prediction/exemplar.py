"""Which sample was this, before it was changed?"""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ...backbone import Backbone
from ...domain import Domain
from ...method import param
from ...pretext import batch_of, width_of
from ...seeds import seed_of
from ...trained import Network
from ...training import Step, Terms, Training
from ..views import OfViews


@final
@dataclass(frozen=True, kw_only=True)
class Exemplar(OfViews):
    """min_{η,β} (1/n) Σ CE(h_β(φ_η(t(x_k))), k),  k = 1 … K samples drawn from the pool, t changes anew

    Every sample, with all its changes, is a class of its own, h is linear. φ learns what tells a sample from
    others and outlives the changes. It helps where samples are all different things and the changes are such
    as the labels do not mind. It harms where many samples are alike, for these are then told apart by what
    does not matter; where what changes do away with (place, size, colour) is what the labels are about; and
    with very many classes, each of which is seen too seldom: the K that are drawn are all that is learned.

    >>> from regraft.backbones import small_mlp
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randn(40, 5))
    >>> Exemplar(epochs=1, least_steps=2).pretrain(pool, small_mlp(5)).backbone.features(pool.x[:1]).shape
    torch.Size([1, 64])
    """

    reference: ClassVar[str] = "Dosovitskiy et al., NIPS 2014 and TPAMI 2016, arXiv:1406.6909, eq. 1 and 2"
    map: ClassVar[tuple[str, ...]] = ("M23",)
    usual: ClassVar[float] = 0.073

    classes: int = param(500, "K: samples that are classes, at the most", search=(100, 500, 2000))

    def drawn_from(self, pool: Domain, training: Training) -> Domain:
        luck = torch.Generator().manual_seed(seed_of(training.seed, "exemplars"))
        rows = torch.randperm(len(pool), generator=luck)[: self.classes]
        return pool[rows].with_(origin=torch.arange(len(rows)))

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        return Network(backbone, nn.Linear(width_of(backbone, x), min(self.classes, len(x))))

    def objective(self, network: Network, step: Step) -> Terms:
        scores = network(self.view(batch_of(step)))
        k = step.batch.domains["unlabelled"].origin.to(scores.device)
        step.note("told right", (scores.argmax(1) == k).float().mean())
        return {"exemplar": cross_entropy(scores, k)}
