"""Which words are hidden?"""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ...backbone import Backbone
from ...errors import InputError
from ...method import param
from ...preprocessing.tokens import FIRST_BUCKET, MASK
from ...pretext import batch_of
from ...trained import Network
from ...training import Step, Terms
from ..texts import OfTexts

REPLACED, LEFT = 0.8, 0.1  # of the hidden words; the rest is another word


@final
@dataclass(frozen=True, kw_only=True)
class MaskedWords(OfTexts):
    """min_{η,β} (1/|H|) Σ_{(i,t) ∈ H} CE(h_β(φ_η(x̃ᵢ)_t), x_it),  H some of the words of all texts

    x_it is word t of text i. In x̃ four fifths of the words in H are a mask, a tenth are any other word and a
    tenth are left, so that φ may trust no word; φ_t are the activations at its place, before the last stage
    pools them, and h has two layers. It helps where words of like meaning stand in like company, and texts
    are many: a probe then knows words that no label has shown it. It harms where labels are about what the
    neighbours of a word do not tell (words of opposite meaning keep the same company); and of few texts only
    frequent words are learned: the bag of words that the verdict is against is there for that.

    >>> from regraft.backbones import small_text
    >>> from regraft.domain import Domain
    >>> pool = Domain(["the owl hoots at night", "the crow caws by day"] * 20)
    >>> made = MaskedWords(epochs=1, least_steps=2).pretrain(pool, small_text(width=8))
    >>> made.backbone.features(pool.x).shape
    torch.Size([40, 8])
    """

    reference: ClassVar[str] = "Devlin et al., NAACL 2019, arXiv:1810.04805, section 3.1, task 1"
    map: ClassVar[tuple[str, ...]] = ("M20",)

    hide: float = param(0.15, "share of the words that are to be told", search=(0.15, 0.3, 0.5))

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        known = self.vocabulary(backbone).known
        with torch.no_grad():
            seen = backbone.eval()[:-1](x)
        if seen.ndim != 3 or seen.shape[:2] != x.shape:
            raise InputError(
                f"MaskedWords needs activations for each word before the last stage, and {backbone.name} has "
                f"{' × '.join(map(str, seen.shape[1:]))} a text there: take small_text"
            )
        width = seen.shape[2]
        told = [nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width), nn.Linear(width, known)]
        return Network(backbone, nn.Sequential(*told))

    def objective(self, network: Network, step: Step) -> Terms:
        x = batch_of(step)
        shown, hidden = with_words_hidden(x, self.hide, self.vocabulary(network.backbone).known)
        scores = network.head(network.backbone[:-1](shown)[hidden])
        step.note("told right", (scores.argmax(1) == x[hidden]).float().mean())
        return {"hidden words": cross_entropy(scores, x[hidden])}


def with_words_hidden(
    x: Int[Tensor, "n l"], share: float, known: int
) -> tuple[Int[Tensor, "n l"], Bool[Tensor, "n l"]]:
    """(x with words hidden, which ones): a share of them, drawn anew, and at least one of every text.

    Of the hidden ones 80 % are MASK, 10 % any number of a word, from FIRST_BUCKET to below `known`, and 10 %
    what they were.

    >>> shown, hidden = with_words_hidden(torch.tensor([[2, 70, 3, 0]]), 0.15, known=71)
    >>> hidden.tolist(), shown[0, [0, 2, 3]].tolist()
    ([[False, True, False, False]], [2, 3, 0])
    """
    word = x >= FIRST_BUCKET
    lots = torch.rand(x.shape).to(x.device).masked_fill(~word, 2.0)
    least = torch.zeros_like(word).scatter(1, lots.argmin(1, keepdim=True), True)
    hidden = word & ((lots < share) | least)
    how = torch.rand(x.shape).to(x.device)
    others = torch.randint(FIRST_BUCKET, known, x.shape).to(x.device)
    shown = torch.where(hidden & (how >= REPLACED + LEFT), others, x)
    return shown.masked_fill(hidden & (how < REPLACED), MASK), hidden
