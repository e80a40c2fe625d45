"""Does the one half of a text follow the other?"""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ...backbone import Backbone
from ...errors import InputError
from ...preprocessing.tokens import APART, FIRST_BUCKET, PAD, START
from ...pretext import batch_of, width_of
from ...trained import Network
from ...training import Step, Terms
from ..texts import OfTexts

LEAST = 4  # words of a text that has two halves


@final
@dataclass(frozen=True, kw_only=True)
class NextSentence(OfTexts):
    """min_{η,β} (1/n) Σ CE(h_β(u, v, u∘v, |u−v|), [j = i]),  u = φ_η(aᵢ), v = φ_η(b_j)

    aᵢ and bᵢ are the halves of text i; j = i for half of the i, else another text; h is linear. To tell
    whether b follows a, φ has to know what both are about. It helps where the labels are about that, and
    texts are long. It harms where they are not: topics alone solve the task, so that tone and style are what
    φ may forget (later work leaves it out, Liu et al., arXiv:1907.11692); and where all texts are about one
    thing, there is nothing to tell. BERT reads both halves at once, and attention compares them; here each is
    read by itself, as a text is later, and compared as Conneau et al. (arXiv:1705.02364) do, from which a
    small network learns in minutes.

    >>> from regraft.backbones import small_text
    >>> from regraft.domain import Domain
    >>> pool = Domain(["the owl hoots at night", "the crow caws by day"] * 20)
    >>> made = NextSentence(epochs=1, least_steps=2).pretrain(pool, small_text(width=8))
    >>> made.backbone.features(pool.x).shape
    torch.Size([40, 8])
    """

    reference: ClassVar[str] = "Devlin et al., NAACL 2019, arXiv:1810.04805, section 3.1, task 2"
    map: ClassVar[tuple[str, ...]] = ("M21",)

    def must_take(self, x: Tensor) -> None:
        super().must_take(x)
        long = int(_long_enough(x).sum())
        if 2 * long < len(x) or long < 2:
            raise InputError(
                f"NextSentence parts texts in two, and {len(x) - long} of {len(x)} texts have fewer than "
                f"{LEAST} words: give whole paragraphs, or take MaskedWords"
            )

    def start(self, backbone: Backbone, x: Tensor) -> Network:
        self.vocabulary(backbone)
        return Network(backbone, nn.Linear(4 * width_of(backbone, x), 2))

    def objective(self, network: Network, step: Step) -> Terms:
        x = batch_of(step)
        first, second = halves(x[_long_enough(x)])
        n = len(first)
        if n < 2:  # nothing is learned from a batch without pairs
            return {"next": 0.0 * network.features(x).sum()}
        follows = torch.rand(n) < 0.5
        others = torch.arange(n).roll(int(torch.randint(1, n, ())))
        rows = torch.where(follows, torch.arange(n), others).to(x.device)
        u, v = network.features(torch.cat([first, second[rows]])).split(n)
        scores = network.head(compared(u, v))
        truth = follows.long().to(scores.device)
        step.note("told right", (scores.argmax(1) == truth).float().mean())
        return {"next": cross_entropy(scores, truth)}


def compared(u: Float[Tensor, "n d"], v: Float[Tensor, "n d"]) -> Float[Tensor, "n d4"]:
    """(u, v, u∘v, |u−v|)

    >>> compared(torch.tensor([[2.0]]), torch.tensor([[3.0]])).tolist()
    [[2.0, 3.0, 6.0, 1.0]]
    """
    return torch.cat([u, v, u * v, (u - v).abs()], 1)


def halves(x: Int[Tensor, "n l"]) -> tuple[Int[Tensor, "n l"], Int[Tensor, "n l"]]:
    """Every text as two, between START and APART as it was; a word more in the first where they are odd.

    >>> first, second = halves(torch.tensor([[2, 70, 71, 72, 3, 0]]))
    >>> first.tolist(), second.tolist()
    ([[2, 70, 71, 3, 0, 0]], [[2, 72, 3, 0, 0, 0]])
    """
    words = (x >= FIRST_BUCKET).sum(1, keepdim=True)
    half = (words + 1) // 2
    place = torch.arange(x.shape[1], device=x.device).expand_as(x)

    def part(shift: Tensor | int, length: Tensor) -> Tensor:
        moved = x.gather(1, (place + shift).clamp_max(x.shape[1] - 1))
        inside = moved.masked_fill(place > length, PAD).masked_fill(place == length + 1, APART)
        return inside.masked_fill(place == 0, START)

    return part(0, half), part(half, words - half)


def _long_enough(x: Int[Tensor, "n l"]) -> Bool[Tensor, " n"]:
    return (x >= FIRST_BUCKET).sum(1) >= LEAST
