"""The layers after a cut, by gradient descent; the rest frozen."""

from dataclasses import dataclass
from typing import ClassVar, final

from ...backbone import Backbone
from ...method import param
from ...schedule import Schedule
from .tuned import Tuned


@final
@dataclass(frozen=True, kw_only=True)
class FrozenLayers(Tuned):
    """min_{η_>,β} (1/n) Σ ℓ(φ_{η_>}(a(xᵢ))ᵀβ, yᵢ),  a(x) = the activations of the frozen stages

    η_> are the parameters of the top `trained` stages; everything below is frozen: no gradient, no weight
    decay, BatchNorm statistics unchanged, and run once over each sample. The head starts as a linear
    probe. Good where the images look like those of pretraining and the classes do not; where the look
    itself differs, the stages that would have to change are the frozen ones.

    >>> import torch
    >>> from regraft import Backbone, Domain, Problem
    >>> phi = Backbone([("a", torch.nn.Linear(1, 8)), ("b", torch.nn.Linear(8, 8))], name="toy")
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> model = FrozenLayers(trained=1, held_out=0.0).fit(Problem(target_labelled=data), phi)
    >>> torch.equal(model.backbone.stages[0].weight, phi.stages[0].weight)
    True
    >>> torch.equal(model.backbone.stages[1].weight, phi.stages[1].weight)
    False
    """

    reference: ClassVar[str] = "Yosinski et al., NeurIPS 2014, arXiv:1411.1792"
    map: ClassVar[tuple[str, ...]] = ("M02", "M03")

    trained: int = param(1, "how many of the top stages learn; 0 trains the head alone", search=(0, 1, 2))

    def lowest_trained(self, backbone: Backbone) -> int:
        return max(0, len(backbone) - self.trained)

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (0.0,) * stages)
