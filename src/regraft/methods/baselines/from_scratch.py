"""A small network that starts from random weights."""

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from ...backbone import Backbone
from ...backbones.pyramid import levels_of
from ...errors import InputError
from ...features import embed
from ...heads import FeaturePyramid
from ...method import param
from ...output import OUTPUTS, Mask
from ...problem import Problem
from ...schedule import Schedule
from ...surgery import draw_anew
from ...trained import Network, Trained, new_head
from ...training import Training


@final
@dataclass(frozen=True, kw_only=True)
class FromScratch(Trained):
    """min_{η,β} (1/n) Σ ℓ(φ_η(xᵢ)ᵀβ, yᵢ)  from random η and β

    φ_η is the feature map with parameters η, β the linear head (for masks a feature pyramid), ℓ the loss of
    the output. It is what one would do with nothing to borrow, so a transfer has to beat it. It wins where
    labels are many or the pretrained network has seen nothing like the target, and overfits where labels are
    few.

    >>> from regraft.backbones import small_mlp
    >>> from regraft.domain import Domain
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> FromScratch(held_out=0.0).fit(Problem(target_labelled=data), small_mlp(1)).predict([[0.0], [1.0]])
    ['low', 'high']
    """

    outputs: ClassVar[frozenset[str]] = frozenset(OUTPUTS)
    borrows: ClassVar[bool] = False
    reference: ClassVar[str] = "He, Girshick & Dollár, ICCV 2019, arXiv:1811.08883"
    map: ClassVar[tuple[str, ...]] = ("M28", "N1")

    rate: float = param(2e-3, "learning rate at its height", search=(5e-4, 2e-3, 5e-3))

    def lowest_trained(self, backbone: Backbone) -> int:
        return 0

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        if backbone.pretrained:
            raise InputError(
                f"FromScratch got the pretrained {backbone.name}: "
                "give an untrained network, such as small_convnet"
            )
        draw_anew(backbone)  # by the seed of the run, not by that of the network
        labelled = problem.domains["target_labelled"]
        if isinstance(labelled.output, Mask):
            return Network(backbone, FeaturePyramid(levels_of(backbone), labelled.asked.width))
        return with_new_head(backbone, problem)

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.rate, (0.0,) * stages, statistics=True)


def with_new_head(backbone: Backbone, problem: Problem) -> Network:
    """The network with a linear head for the labels of the problem, which starts small and random."""
    labelled = problem.domains["target_labelled"]
    features = embed(backbone, labelled[:1]).x
    assert isinstance(features, Tensor)
    return Network(backbone, new_head(features.flatten(1).shape[1], labelled.asked))
