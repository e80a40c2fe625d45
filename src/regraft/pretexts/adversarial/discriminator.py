"""Is it real, or was it made up?"""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from ...augmentation import pixels_in
from ...backbone import Backbone
from ...method import param
from ...pretext import PIXELS, VECTORS, Pretext, batch_of, width_of
from ...trained import Network, Turn
from ...training import Step, Terms
from ..reconstruction.decoder import Decoder

MOMENTUM = 0.5  # Radford et al., section 3


class Generator(nn.Module):
    """G: samples from numbers drawn at random, by a decoder that mirrors the discriminator.

    Pictures have pixels from 0 to 255, vectors whatever the pool's mean and spread make of an answer.
    """

    def __init__(self, backbone: Backbone, x: Tensor, numbers: int) -> None:
        super().__init__()
        self.numbers, self.pixels = numbers, pixels_in(x)
        self.decoder = Decoder(backbone, x)
        self.entrance = self.decoder.entrance(numbers)

    def forward(self, u: Float[Tensor, "n k"]) -> Tensor:
        aim = self.decoder(self.entrance(u)).float()
        made: Tensor = 255 * aim.sigmoid() if self.pixels else self.decoder.back(aim)
        return made

    def make(self, n: int) -> Tensor:
        made: Tensor = self(torch.randn(n, self.numbers).to(self.decoder.mean.device))
        return made

    @property
    def spread(self) -> Tensor:
        """Of the pool: the unit in which slopes are measured."""
        return self.decoder.spread


@final
@dataclass(frozen=True, kw_only=True)
class Discriminator(Pretext):
    """In turn  min_{η,β} ⟨s(−D(x))⟩ + ⟨s(D(G(u)))⟩ + ½γ ⟨‖∇D(x)‖²⟩,  then min_G ⟨s(−D(G(u)))⟩

    s(t) = log(1 + e^t); D = h_β∘φ_η with h linear says how real a sample is, G makes samples of k normal
    numbers u and mirrors the stages of φ. γ holds the slope ∇D(x), in units of the pool's spread, flat at
    real samples (R1), which lets the two settle. D sees real and made samples in one batch, of which
    BatchNorm takes its statistics, and at the end has those of both. To tell real from made φ has to know
    what is real. It helps with much data of one kind. It harms with little: D learns the samples by heart
    and G gets nothing to follow, or makes always the same; with γ near 0 it may not settle at all. And where
    a budget leaves few steps it harms as well, for D still tells noise from pictures then: so batches are
    small.

    >>> from regraft.backbones import small_mlp
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randn(40, 5))
    >>> task = Discriminator(epochs=1, least_steps=2)
    >>> task.pretrain(pool, small_mlp(5)).backbone.features(pool.x[:1]).shape
    torch.Size([1, 64])
    """

    takes = frozenset({PIXELS, VECTORS})
    reference: ClassVar[str] = (
        "Goodfellow et al., NIPS 2014, arXiv:1406.2661, section 3; features: Radford et al., ICLR 2016, "
        "arXiv:1511.06434, section 5; R1: Mescheder et al., ICML 2018, arXiv:1801.04406, eq. 9"
    )
    map: ClassVar[tuple[str, ...]] = ("M16",)
    usual: ClassVar[float] = 0.02

    batch_size: int = param(32, "samples in a step", search=(32, 64, 128))
    rate: float = param(1e-3, "learning rate at its height", search=(5e-4, 1e-3, 2e-3))
    latent: int = param(32, "k: numbers that a sample is made of", search=(16, 32, 128))
    slope: float = param(10.0, "γ: what slopes at real samples cost", search=(0.1, 1.0, 10.0))

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        generator = Generator(backbone, x, self.latent)
        return Network(backbone, nn.Linear(width_of(backbone, x), 1), beside={"generator": generator})

    def turns(self, network: Network) -> list[Turn]:
        return [
            Turn(self.objective, [*network.backbone.stages, network.head], momentum=MOMENTUM),
            Turn(self.deceive, [network.beside["generator"]], momentum=MOMENTUM),
        ]

    def objective(self, network: Network, step: Step) -> Terms:
        real = batch_of(step).float().detach().requires_grad_(True)
        generator = generator_of(network)
        with torch.no_grad():
            made = generator.make(len(real))
        on_real, on_made = network(torch.cat([real, made])).float().squeeze(1).split(len(real))
        (slopes,) = torch.autograd.grad(on_real.sum(), real, create_graph=True)
        steep = (slopes * generator.spread).flatten(1).square().sum(1)
        step.note("told apart", ((on_real > 0).float().mean() + (on_made < 0).float().mean()) / 2)
        return {
            "real": softplus(-on_real).mean(),
            "made": softplus(on_made).mean(),
            "slope": self.slope / 2 * steep.mean(),
        }

    def deceive(self, network: Network, step: Step) -> Terms:
        real = batch_of(step)
        made = generator_of(network).make(len(real))
        on_made = network(torch.cat([real.float(), made])).float()[len(real) :]
        return {"deceive": softplus(-on_made).mean()}


def generator_of(network: Network) -> Generator:
    """What is beside it, as what it is."""
    generator = network.beside["generator"]
    assert isinstance(generator, Generator)
    return generator
