"""An autoencoder that is built stage by stage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch

from ...method import param
from ...pretext import batch_of
from ...schedule import FROZEN, SHAPES, Mode
from ...trained import Network
from ...training import Step, Terms
from .reconstruction import Reconstruction, decoder_of, squared_error


@final
@dataclass(frozen=True, kw_only=True)
class StackedAutoencoder(Reconstruction):
    """For i = 1 … L in turn  min_{η_i,β_i} ⟨(z_{i−1} − g_i(φ_i(z_{i−1})))²⟩,  then all  ⟨(x̄ − g(φ(x)))²⟩

    z_{i−1} are the activations that the stages below, which stand still by then, give; z_0 stands for the
    sample, of which x̄, less the mean of the pool and by its spread, is reconstructed. ⟨·⟩ is the mean over
    numbers and samples, g_i mirrors stage i, g = g_1 ∘ … ∘ g_L. `greedy` is the share of training that the
    stages have one after another, evenly; each has its own rise and fall of the rate. It helps deep networks
    that train badly as a whole, as those without normalisation do. It harms where lower stages throw away
    what upper ones need, and the rest of training cannot mend it; where a whole trains well, it is
    Autoencoder with less time.

    >>> from regraft.backbones import small_mlp
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randn(40, 5))
    >>> task = StackedAutoencoder(epochs=1, least_steps=6)
    >>> task.pretrain(pool, small_mlp(5)).backbone.features(pool.x[:1]).shape
    torch.Size([1, 64])
    """

    reference: ClassVar[str] = (
        "Bengio et al., Greedy layer-wise training of deep networks, NIPS 2006, section 4"
    )
    map: ClassVar[tuple[str, ...]] = ("M14",)
    usual: ClassVar[float] = 0.028

    greedy: float = param(0.6, "share of training for the stages one by one", search=(0.3, 0.6, 0.9))

    def schedule(self, stages: int, rate: float) -> Callable[[float], Sequence[Mode]]:
        def modes(progress: float) -> list[Mode]:
            turn, within = self.turn_at(progress, stages)
            factor = SHAPES[self.shape](within)
            learning = Mode(rate * factor, statistics=True)
            return [
                *(learning if turn in (i, stages) else FROZEN for i in range(stages)),
                Mode(self.rate * factor, statistics=True),
            ]

        return modes

    def turn_at(self, progress: float, stages: int) -> tuple[int, float]:
        """Which stage learns (L: all), and how far its turn is, from 0 to 1.

        >>> [StackedAutoencoder(greedy=0.5).turn_at(p, 2)[0] for p in (0.0, 0.2, 0.3, 0.5, 0.9)]
        [0, 0, 1, 2, 2]
        """
        if progress >= self.greedy:
            return stages, (progress - self.greedy) / (1 - self.greedy)
        turn = progress * stages / self.greedy
        return min(int(turn), stages - 1), turn - min(int(turn), stages - 1)

    def objective(self, network: Network, step: Step) -> Terms:
        x, backbone, decoder = batch_of(step), network.backbone, decoder_of(network)
        turn, _ = self.turn_at(step.progress, len(backbone))
        if turn == len(backbone):
            return {"reconstruction": squared_error(network, x, x).mean()}
        with torch.no_grad():
            z = backbone[:turn](x)
        aim = decoder.aim(x) if turn == 0 else z
        made = decoder.blocks[turn](backbone[turn : turn + 1](z)).float()
        return {f"stage {turn + 1}": (aim - made).square().mean()}
