"""Features that a sample can be made of again."""

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from ...backbone import Backbone
from ...method import param
from ...pretext import batch_of
from ...trained import Network
from ...training import Step, Terms
from .decoder import Decoder
from .reconstruction import Reconstruction, squared_error


@final
@dataclass(frozen=True, kw_only=True)
class Autoencoder(Reconstruction):
    """min_{η,β} (1/nD) Σ ‖x̄ᵢ − g_β(φ_η(xᵢ))‖²

    x̄ is a sample of D numbers, each column or channel less its mean over the pool and by its spread; g
    mirrors the stages of φ. tied: the weights of g are those of φ, transposed, which only fully connected
    stages have. What φ keeps is what varies most: linear and tied it spans the principal components. It
    helps where what varies most is what the labels are about, and features are fewer than numbers. It harms
    where the labels are about small things, which a squared error does not miss (backgrounds and light win);
    and with features enough to copy all, nothing has to be learned: take DenoisingAutoencoder.

    >>> import torch
    >>> from regraft.backbones import small_mlp
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randn(40, 5))
    >>> task = Autoencoder(epochs=1, least_steps=2, tied=True)
    >>> task.pretrain(pool, small_mlp(5)).backbone.features(pool.x[:1]).shape
    torch.Size([1, 64])
    """

    reference: ClassVar[str] = "Hinton & Salakhutdinov, Science 2006, doi:10.1126/science.1127647"
    map: ClassVar[tuple[str, ...]] = ("M13",)
    usual: ClassVar[float] = 0.048

    tied: bool = param(False, "whether the decoder has the weights of the stages", search=(False, True))

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        return Network(backbone, Decoder(backbone, x, self.tied))

    def objective(self, network: Network, step: Step) -> Terms:
        x = batch_of(step)
        return {"reconstruction": squared_error(network, x, x).mean()}
