"""A sample made again from what noise has left of it."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from ...augmentation import pixels_in
from ...method import param
from ...pretext import batch_of
from ...trained import Network
from ...training import Step, Terms
from .reconstruction import Reconstruction, decoder_of, squared_error


@final
@dataclass(frozen=True, kw_only=True)
class DenoisingAutoencoder(Reconstruction):
    """min_{η,β} (1/nD) Σ ‖x̄ᵢ − g_β(φ_η(x̃ᵢ))‖²,  x̃ = x + σ s ε,  and a share of it hidden

    ε is normal, s the spread of a column or channel over the pool, and what is hidden (columns of vectors,
    pixels of pictures) stands at its mean. x̄ is x less the mean and by the spread; g mirrors φ. To undo the
    noise φ has to know what goes with what, so that it may have more features than a sample has numbers. It
    helps where the numbers of a sample tell of one another. It harms where they do not (independent
    columns), where the labels are about what looks like noise (fine textures), and with so much of it that
    nothing is left but the mean.

    >>> from regraft.backbones import small_mlp
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randn(40, 5))
    >>> task = DenoisingAutoencoder(epochs=1, least_steps=2)
    >>> task.pretrain(pool, small_mlp(5)).backbone.features(pool.x[:1]).shape
    torch.Size([1, 64])
    """

    reference: ClassVar[str] = "Vincent et al., ICML 2008, doi:10.1145/1390156.1390294, eq. 5"
    map: ClassVar[tuple[str, ...]] = ("M13",)
    usual: ClassVar[float] = 0.044

    noise: float = param(0.3, "σ, in units of the spread over the pool", search=(0.1, 0.3, 1.0))
    hidden: float = param(0.25, "share of columns or pixels that is hidden", search=(0.0, 0.25, 0.5))

    def objective(self, network: Network, step: Step) -> Terms:
        x, decoder = batch_of(step), decoder_of(network)
        seen = noisy(x, decoder.mean, decoder.spread, self.noise, self.hidden)
        return {"reconstruction": squared_error(network, seen, x).mean()}


def noisy(x: Tensor, mean: Tensor, spread: Tensor, noise: float, hidden: float) -> Tensor:
    """x + σ s ε, and a share at the mean: columns of vectors, pixels of pictures, which stay bytes.

    >>> noisy(torch.ones(1, 3), torch.zeros(3), torch.ones(3), 0.0, 1.0).tolist()
    [[0.0, 0.0, 0.0]]
    """
    size = (len(x), 1, *x.shape[2:]) if pixels_in(x) else x.shape
    gone = (torch.rand(size) < hidden).to(x.device)
    blurred = x.float() + noise * spread * torch.randn(x.shape).to(x.device)
    out = torch.where(gone, mean, blurred)
    return out.round().clamp(0, 255).to(torch.uint8) if pixels_in(x) else out
