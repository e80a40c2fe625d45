"""Small modules between the blocks of a frozen network."""

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from ...backbone import Backbone
from ...backbones.adapted import Bottleneck, adapted, places_of
from ...errors import InputError
from ...method import param
from ...problem import Problem
from ...schedule import Schedule
from ...trained import Network
from ...training import Training
from .tuned import Tuned, as_borrowed


@final
@dataclass(frozen=True, kw_only=True)
class Adapters(Tuned):
    """min_{D,U,β} (1/n) Σ ℓ(φ(xᵢ)ᵀβ, yᵢ),  z ← z + U a(D z + c) + b behind every block of the frozen φ

    D maps d channels to `width`, U maps back and starts at zero, so training starts at the frozen network
    with its linear probe. Every weight and statistic of φ stays as it is, bit for bit: the model is the
    network that was borrowed and a little more, and can be saved as just that (`Model.save` with `on`).
    Where a stage is a list of blocks, as in a transformer, an adapter follows each; otherwise the stage. It
    can change features, as a probe cannot, and forgets nothing; it costs a pass forwards and backwards
    through the whole network for every sample, as FineTune does. Without an activation, adapters right
    behind a linear layer can be merged into it (`regraft.backbones.merged`).

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> data, phi = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"]), small_mlp(1)
    >>> model = Adapters(width=2, held_out=0.0).fit(Problem(target_labelled=data), phi)
    >>> model.predict([[0.2], [0.9]]), model.provenance["adapters"]
    (['low', 'high'], ['0', '1'])
    """

    reference: ClassVar[str] = (
        "Houlsby et al., ICML 2019, arXiv:1902.00751; Rebuffi, Bilen & Vedaldi, CVPR 2018, arXiv:1803.10082"
    )
    map: ClassVar[tuple[str, ...]] = ("M08",)

    stage_rate: float = param(
        1e-3, "learning rate of the adapters of the last stage at its height", search=(3e-4, 1e-3, 3e-3)
    )
    width: int = param(16, "r, the channels inside an adapter", search=(4, 16, 64))
    activation: str = param("relu", "a: relu, gelu or none", search=("relu", "none"))

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        x = problem.domains["target_labelled"].x
        assert isinstance(x, Tensor)
        backbone = as_borrowed(backbone)
        places = places_of(backbone, x[:2])
        if not places:
            raise InputError(
                f"no stage of {backbone.name} has parameters and gives vectors, tokens or maps: "
                "take a network that adapters can follow"
            )
        known = set(backbone.modules())
        backbone = adapted(backbone, places, self.width, self.activation)
        for adapter in set(backbone.modules()) - known:
            if isinstance(adapter, Bottleneck):
                adapter.down.learns = adapter.up.learns = True  # type: ignore[assignment]
        network = super().start(problem, backbone, training)
        network.told |= {"adapters": list(places)}
        return network

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (0.0,) * stages, which="adapters")
