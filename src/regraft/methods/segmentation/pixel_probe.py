"""Logistic regression on every pixel's frozen hypercolumn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from ...backbone import Backbone
from ...backbones.pyramid import levels_of
from ...domain import Domain
from ...engine import one_thread
from ...folds import Rows, complement
from ...heads.hypercolumn import Hypercolumn
from ...method import SMALL, Method, param
from ...model import Model
from ...output.mask import Mask
from ...problem import Problem
from ...training import Training
from ..features.linear_probe import LinearProbe
from .pixels import drawn_pixels

STILL = 1e-2  # of the usual deviation: a channel that moves less has not been seen to move


@final
@dataclass(frozen=True, kw_only=True)
class PixelProbe(Method):
    """min_{W,b} ½ ‖W‖² + C Σ_p a_p ℓ(W u(p) + b, y_p),  u(p) = (hypercolumn of p − mean) / deviation

    p are pixels drawn from all pictures, as many of every class that a picture has, and a_p the area that
    each stands for. The hypercolumn has the values of all maps of the network at that place; each channel is
    scaled, because maps of different depth differ in scale. C is chosen by cross-validation over pictures,
    not over pixels, whose neighbours are alike. What is to be tried first: the network as it is, a few
    thousand pixels, and no training. Masks are as fine as the finest map, so that thin things are lost.

    >>> from regraft.backbones import neighbourhoods
    >>> photos = torch.zeros(6, 32, 32, 3, dtype=torch.uint8)
    >>> photos[:, 8:24, :16] = 255
    >>> owls = (photos[..., 0] > 0).to(torch.uint8)
    >>> seen = Problem(target_labelled=Domain(photos, owls, Mask(("sky", "owl"))))
    >>> model = PixelProbe(pixels=600).fit(seen, neighbourhoods(16))
    >>> bool((torch.stack(model.masks(photos)) == owls).float().mean() > 0.95)
    True
    """

    outputs: ClassVar[frozenset[str]] = frozenset({Mask.kind})
    reference: ClassVar[str] = "Hariharan et al., Hypercolumns, CVPR 2015, arXiv:1411.5752"
    map: ClassVar[tuple[str, ...]] = ("M11", "M01")

    pixels: int = param(4000, "pixels that are drawn from all pictures", search=(2000, 4000, 8000))
    folds: int = param(5, "folds of the cross-validation that chooses C", search=(3, 5, 10))

    def learn(self, problem: Problem, backbone: Backbone, training: Training) -> Model:
        seen = problem.domains["target_labelled"]
        (head,) = self.heads(seen, [torch.arange(len(seen))], backbone, training)
        return Model(backbone, head, seen.asked)

    def fit_without(
        self, held_out: Sequence[Rows], problem: Problem, backbone: Backbone, training: Training
    ) -> Iterator[Model]:
        """As `Method.fit_without`; the pixels are drawn once, and all folds are solved together."""
        if len(backbone):
            yield from super().fit_without(held_out, problem, backbone, training)
            return
        seen = problem.domains["target_labelled"]
        features = seen.with_(x=backbone.preprocessing(seen.x))
        kept = [complement(rows, len(seen)) for rows in held_out]
        for head in self.heads(features, kept, backbone, training):
            yield Model(backbone, head, seen.asked, engine=training.engine)

    def heads(
        self, seen: Domain, kept: Sequence[Rows], backbone: Backbone, training: Training
    ) -> list[Hypercolumn]:
        """The head for each of several subsets of the pictures, which come as levels side by side."""
        assert isinstance(seen.x, Tensor)
        levels = levels_of(backbone)
        drawn = drawn_pixels(seen.with_(x=seen.x.flatten(1).float()), levels, self.pixels, training.seed)
        scale = spread(drawn.x)
        pixels = [torch.isin(drawn.group, pictures).nonzero().squeeze(1) for pictures in kept]
        with one_thread(small=drawn.x.numel() < SMALL):
            solved = LinearProbe(folds=self.folds).heads(drawn.with_(x=drawn.x / scale), pixels, training)
        return [
            Hypercolumn.of(weight.detach() / scale, bias.detach(), levels)
            for weight, bias in (head.parameters() for head in solved)
        ]


def spread(u: Float[Tensor, "p c"]) -> Float[Tensor, " c"]:
    """The standard deviation of every channel, and of one that hardly moves a hundredth of the usual one.

    Where all pictures are alike, a channel may differ by rounding alone; scaled to one, it would outweigh all
    others in the first picture that is not.

    >>> spread(torch.tensor([[0.0, 5.0], [2.0, 5.0]]))  # the usual one is √½
    tensor([1.0000, 0.0071], dtype=torch.float64)
    """
    deviation = u.double().std(0, unbiased=False)
    usual = deviation.square().mean().sqrt()
    return deviation.clamp_min(STILL * float(usual)) if usual > 0 else torch.ones_like(deviation)
