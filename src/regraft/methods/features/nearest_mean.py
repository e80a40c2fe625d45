"""The class whose mean is nearest."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...domain import Domain
from ...heads import Prototypes, class_means, left_out_squared
from ...method import OnFeatures
from ...output import Classes
from ...training import Training

SHARPNESS = torch.logspace(-1, 2.5, 15, dtype=torch.float64)


@final
@dataclass(frozen=True, kw_only=True)
class NearestMean(OnFeatures):
    """f(x)_c = −τ ‖u(x) − mean_{yᵢ=c} u(xᵢ)‖²,  u(x) = (φ(x) − φ̄) / ‖φ(x) − φ̄‖

    φ̄ is the mean feature of the training samples. τ only sharpens the probabilities; it minimises the
    loss with each sample left out of its own class's mean. All samples count alike. With one or two labels
    a class nothing else is as steady; with more, it leaves the shape of the classes unused.

    >>> from regraft.backbones import vectors
    >>> from regraft.problem import Problem
    >>> data = Domain([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0]], ["up", "up", "right"])
    >>> NearestMean().fit(Problem(target_labelled=data), vectors()).predict([[0.0, 3.0]])
    ['up']
    """

    reference: ClassVar[str] = "Wang et al., SimpleShot, 2019, arXiv:1911.04623, CL2N"
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    map: ClassVar[tuple[str, ...]] = ("M01",)

    def head(self, features: Domain, training: Training) -> nn.Module:
        assert isinstance(features.x, Tensor)
        z, y, k = features.x.double(), features.labels, features.classes.width
        head = Prototypes(z.shape[1], k)
        head.centre.copy_(z.mean(0))
        u = head.directions(z)
        means, count = class_means(u, y, k)
        head.points.copy_(means)
        head.offset.masked_fill_(count == 0, -1e3)
        head.sharpness.copy_(best_sharpness(left_out_squared(u, y, k), y, head.offset))
        return head


def best_sharpness(
    squared: Float[Tensor, "n k"], y: Int[Tensor, " n"], offset: Float[Tensor, " k"]
) -> Float[Tensor, ""]:
    """The τ with the lowest left-out loss."""
    log_p = (offset - SHARPNESS[:, None, None] * squared).log_softmax(2)
    losses = -log_p.gather(2, y.expand(len(SHARPNESS), -1)[..., None]).mean((1, 2))
    return SHARPNESS[losses.argmin()]
