"""Does the one half of a text follow the other?"""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Int
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
    """min_{η,β} (1/n) Σ CE(h_β(φ_η([aᵢ; b_j])), [j = i]),  j = i for half of the i, else another text

    aᵢ and bᵢ are the halves of text i, [a; b] the one after the other with a sign between them, h two layers.
    To tell whether b follows a, φ has to know what both are about. It helps where the labels are about that,
    and texts are long. It harms where they are not: topics alone solve the task, so that tone and style are
    what φ may forget (later work leaves it out, Liu et al., arXiv:1907.11692); and where all texts are about
    one thing, there is nothing to tell. b begins at the same place in all texts, which takes the part of
    BERT's embedding of segments.

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
        width = width_of(backbone, x)
        return Network(backbone, nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2)))

    def objective(self, network: Network, step: Step) -> Terms:
        x = batch_of(step)
        x = x[_long_enough(x)]
        if len(x) < 2:  # of a batch without pairs nothing is learned
            return {"next": 0.0 * network(batch_of(step)).sum()}
        follows = torch.rand(len(x)) < 0.5
        shift = int(torch.randint(1, len(x), ()))
        rows = torch.where(follows, torch.arange(len(x)), torch.arange(len(x)).roll(shift))
        scores = network(paired(x, rows.to(x.device)))
        truth = follows.long().to(scores.device)
        step.note("told right", (scores.argmax(1) == truth).float().mean())
        return {"next": cross_entropy(scores, truth)}


def paired(x: Int[Tensor, "n l"], rows: Int[Tensor, " n"]) -> Int[Tensor, "n l"]:
    """START, the first half of every text, APART, the second half of the text rows[i], APART.

    A text has the places of its length for both, padded after each half; where words are too many for that,
    the last ones of each half are left out.

    >>> x = torch.tensor([[2, 70, 71, 72, 73, 3, 0, 0, 0], [2, 80, 81, 82, 83, 84, 3, 0, 0]])
    >>> paired(x, torch.tensor([1, 0])).tolist()
    [[2, 70, 71, 0, 3, 83, 84, 3, 0], [2, 80, 81, 82, 3, 72, 73, 3, 0]]
    """
    n, length = x.shape
    room = (length - 3) // 2
    words = (x >= FIRST_BUCKET).sum(1, keepdim=True)
    half = (words + 1) // 2
    places = torch.arange(room, device=x.device).expand(n, room)
    first = _taken(x, 1 + places, places < half)
    second = _taken(x, 1 + half + places, places < words - half)[rows]
    end = (second != PAD).sum(1, keepdim=True)
    second = torch.cat([second, torch.full_like(end, PAD)], 1).scatter(1, end, APART)
    edges = torch.tensor([START, APART], device=x.device).expand(n, 2)
    made = torch.cat([edges[:, :1], first, edges[:, 1:], second], 1)
    return torch.cat([made, made.new_full((n, length - made.shape[1]), PAD)], 1)


def _taken(
    x: Int[Tensor, "n l"], places: Int[Tensor, "n m"], there: Bool[Tensor, "n m"]
) -> Int[Tensor, "n m"]:
    """What is in these places, PAD where nothing is."""
    return x.gather(1, places.clamp_max(x.shape[1] - 1)).masked_fill(~there, PAD)


def _long_enough(x: Int[Tensor, "n l"]) -> Bool[Tensor, " n"]:
    return (x >= FIRST_BUCKET).sum(1) >= LEAST
