"""What was there, before it was painted over?"""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool
from torch import Tensor

from ...method import param
from ...pretext import PIXELS, batch_of
from ...trained import Network
from ...training import Step, Terms
from ..reconstruction.reconstruction import Reconstruction, decoder_of, painted_over, squared_error


@final
@dataclass(frozen=True, kw_only=True)
class Inpainting(Reconstruction):
    """min_{η,β} ⟨(x̄ − g_β(φ_η(x̃)))²⟩ over the pixels of a block B that x̃ does not show

    B is a box anywhere in the picture, `block` of its sides long, painted over with the mean colour of the
    pool; x̄ is the picture less the mean and by the spread; g mirrors the stages of φ. (The paper has an
    adversarial term beside the squared one, which makes sharper pictures; features are learned without.) What
    stood there has to be told from all around it. It helps where the parts of a picture tell of one
    another. It harms where the labels are about small things, of which the surroundings say nothing: the
    best answer is then a blur; and φ sees pictures with a hole, which later it never does.

    >>> from regraft.backbones import small_convnet
    >>> from regraft.domain import Domain
    >>> pool = Domain(torch.randint(256, (40, 8, 8), dtype=torch.uint8))
    >>> made = Inpainting(epochs=1, least_steps=2).pretrain(pool, small_convnet((8, 8), "grey", width=2))
    >>> made.backbone.features(pool.x[:1]).shape
    torch.Size([1, 16])
    """

    takes = frozenset({PIXELS})
    reference: ClassVar[str] = "Pathak et al., CVPR 2016, arXiv:1604.07379, eq. 1"
    map: ClassVar[tuple[str, ...]] = ("M20",)
    usual: ClassVar[float] = 0.029

    block: float = param(0.4, "sides of the block, in units of those of the picture", search=(0.25, 0.4, 0.6))

    def objective(self, network: Network, step: Step) -> Terms:
        x = batch_of(step)
        gone = boxes(len(x), (x.shape[2], x.shape[3]), self.block).to(x.device)
        errors = squared_error(network, painted_over(x, gone, decoder_of(network).mean), x)
        return {"block": (errors * gone).sum() / (gone.sum() * x.shape[1])}


def boxes(n: int, size: tuple[int, int], share: float) -> Bool[Tensor, "n 1 h w"]:
    """A box in each of n pictures, somewhere; True inside.

    >>> boxes(3, (4, 6), 0.5).sum((1, 2, 3)).tolist()
    [6, 6, 6]
    """
    inside = []
    for side in size:
        long = max(1, round(share * side))
        first = torch.randint(side - long + 1, (n, 1))
        at = torch.arange(side)
        inside.append((at >= first) & (at < first + long))
    rows, columns = inside
    return (rows[:, :, None] & columns[:, None, :])[:, None]
