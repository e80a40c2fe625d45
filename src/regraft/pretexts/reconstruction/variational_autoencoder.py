"""Features that say from which distribution a sample is drawn."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from ...backbone import Backbone
from ...method import param
from ...pretext import batch_of, width_of
from ...terms.gaussian import kl_to_standard
from ...trained import Network
from ...training import Step, Terms
from .decoder import Decoder
from .reconstruction import Reconstruction, decoder_of

CERTAIN = -4.0  # log σ² before the first step: with σ = 1 the noise would hide from g whatever μ says


@final
@dataclass(frozen=True, kw_only=True)
class VariationalAutoencoder(Reconstruction):
    """min_{η,β,γ} (1/nD) Σ [ ‖x̄ᵢ − g_β(uᵢ)‖² / 2s² + KL(N(μᵢ, σᵢ²) ‖ N(0, I)) ],  uᵢ = μᵢ + σᵢ εᵢ

    (μ, log σ²) = γ φ_η(x), a linear map of the features to two times k numbers, ε is normal: minus the
    evidence lower bound of a model in which u is standard normal and x̄ normal around g(u) with spread s,
    but for a constant, in nats a number. x̄ is a sample of D numbers less the mean of the pool and by its
    spread, g mirrors φ behind a layer from k numbers to features. What is kept of a sample is what pays for
    the nats it costs. It helps where few directions, without jumps, say how samples differ. It harms where s
    is large: u then says nothing (posterior collapse: the term "kl" is near 0) and φ learns nothing; and, as
    Autoencoder, where the labels are about small things.

    >>> from regraft.backbones import small_mlp
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randn(40, 5))
    >>> task = VariationalAutoencoder(epochs=1, least_steps=2)
    >>> task.pretrain(pool, small_mlp(5)).backbone.features(pool.x[:1]).shape
    torch.Size([1, 64])
    """

    reference: ClassVar[str] = "Kingma & Welling, ICLR 2014, arXiv:1312.6114, eq. 7 and 10, appendix B"
    map: ClassVar[tuple[str, ...]] = ("M15",)
    usual: ClassVar[float] = 0.029

    latent: int = param(32, "k: numbers that a sample is made of", search=(8, 32, 128))
    spread: float = param(0.3, "s: of samples around what is made, in units of the pool's", (0.1, 0.3, 1.0))

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        decoder = Decoder(backbone, x)
        posterior = nn.Linear(width_of(backbone, x), 2 * self.latent)
        nn.init.constant_(posterior.bias[self.latent :], CERTAIN)
        entrance = decoder.entrance(self.latent)
        return Network(backbone, decoder, beside={"posterior": posterior, "entrance": entrance})

    def objective(self, network: Network, step: Step) -> Terms:
        x, decoder = batch_of(step), decoder_of(network)
        mean, log_variance = network.beside["posterior"](network.features(x)).float().chunk(2, 1)
        u = mean + (log_variance / 2).exp() * torch.randn(mean.shape).to(mean.device)
        aim, made = decoder.aim(x), decoder(network.beside["entrance"](u)).float()
        return {
            "reconstruction": (aim - made).square().mean() / (2 * self.spread**2),
            "kl": kl_to_standard(mean, log_variance).mean() / aim[0].numel(),
        }
