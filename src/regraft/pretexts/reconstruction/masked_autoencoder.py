"""Most of a picture is hidden, and is made again of the rest."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ...errors import InputError
from ...method import param
from ...pretext import PIXELS, batch_of
from ...trained import Network
from ...training import Step, Terms
from .reconstruction import Reconstruction, decoder_of, painted_over

LEAST_PATCH = 2  # pixels
EVEN = 1e-2  # variance, in units of the pool's, that keeps an even patch from becoming nothing but its noise


@final
@dataclass(frozen=True, kw_only=True)
class MaskedAutoencoder(Reconstruction):
    """min_{η,β} ⟨(p̄ − g_β(φ_η(x̃))_p)²⟩ over the patches p that x̃ does not show

    A picture is a grid of patches, of which a share, drawn anew, is painted over with the mean colour of the
    pool; p̄ is a patch less its own mean and by its own spread, so that structure counts and light does not;
    g mirrors the stages of φ. The paper's network is a transformer that never sees the hidden patches; here
    any network sees them grey. It helps where pictures have structure that goes on. It harms where the labels
    are about light and colour of areas; where φ, which sees pictures full of holes here, is used as it is on
    whole ones (fine-tune it); and with a share so small that a patch is told by its borders.

    >>> from regraft.backbones import small_convnet
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randint(256, (40, 8, 8), dtype=torch.uint8))
    >>> task = MaskedAutoencoder(epochs=1, least_steps=2)
    >>> made = task.pretrain(pool, small_convnet((8, 8), "grey", width=2))
    >>> made.backbone.features(pool.x[:1]).shape
    torch.Size([1, 16])
    """

    takes = frozenset({PIXELS})
    reference: ClassVar[str] = "He et al., CVPR 2022, arXiv:2111.06377, section 3"
    map: ClassVar[tuple[str, ...]] = ("M20",)
    usual: ClassVar[float] = 0.048

    patches: int = param(4, "patches a side", search=(4, 8, 14))
    hidden: float = param(0.6, "share of the patches that is hidden", search=(0.4, 0.6, 0.75))

    def must_take(self, x: Tensor) -> None:
        super().must_take(x)
        if min(x.shape[2:]) // self.patches < LEAST_PATCH:
            raise InputError(
                f"pictures of {x.shape[3]}×{x.shape[2]} pixels cannot be cut into {self.patches} patches a "
                f"side: give at least {LEAST_PATCH * self.patches} pixels a side, or fewer patches"
            )

    def objective(self, network: Network, step: Step) -> Terms:
        x, decoder = batch_of(step), decoder_of(network)
        gone = some_of(len(x), self.patches**2, self.hidden).to(x.device)
        seen = painted_over(x, over_pixels(gone, self.patches, (x.shape[2], x.shape[3])), decoder.mean)
        aim = in_patches(decoder.aim(x), self.patches)
        aim = (aim - aim.mean(2, keepdim=True)) / (aim.var(2, correction=0, keepdim=True) + EVEN).sqrt()
        made = in_patches(decoder(network.backbone(seen)).float(), self.patches)
        return {"hidden": (aim - made).square()[gone].mean()}


def some_of(n: int, patches: int, share: float) -> Bool[Tensor, "n p"]:
    """As many patches of every picture, any of them; True where hidden.

    >>> some_of(3, 16, 0.75).sum(1).tolist()
    [12, 12, 12]
    """
    hidden = min(max(1, round(share * patches)), patches)
    return torch.rand(n, patches).argsort(1) < hidden


def in_patches(x: Float[Tensor, "n c h w"], patches: int) -> Float[Tensor, "n p d"]:
    """Pictures by patches, counted like text; what no patch fills, at the right and the bottom, is left out.

    >>> in_patches(torch.arange(20.0).reshape(1, 1, 4, 5), 2)[0, 1].tolist()
    [2.0, 3.0, 7.0, 8.0]
    """
    high, wide = x.shape[2] // patches, x.shape[3] // patches
    kept = x[:, :, : high * patches, : wide * patches]
    cut: Tensor = kept.reshape(*x.shape[:2], patches, high, patches, wide)
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def over_pixels(gone: Bool[Tensor, "n p"], patches: int, size: tuple[int, int]) -> Bool[Tensor, "n 1 h w"]:
    """Where a patch is hidden, in every pixel; what no patch fills is not."""
    out = gone.new_zeros(len(gone), 1, *size)
    high, wide = size[0] // patches, size[1] // patches
    whole = gone.reshape(-1, 1, patches, patches).repeat_interleave(high, 2).repeat_interleave(wide, 3)
    out[:, :, : high * patches, : wide * patches] = whole
    return out
