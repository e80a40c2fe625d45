"""Networks that read texts: the bag of words, and a small transformer from scratch."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from ..backbone import Backbone
from ..engine import luck_of
from ..errors import InputError
from ..preprocessing.tokens import PAD, BagOfWords, Tokens

MOST_WIDTH, MOST_BLOCKS = 512, 24
SPREAD = 0.02  # of the embeddings before the first step
UNSEEN = -1e4  # what attention adds to the scores of padding; finite, so that a text of nothing else is too


def text() -> Backbone:
    """Texts as counts of their words, as logarithms, each of length 1.

    >>> text().name
    'bag of words'
    """
    return Backbone(
        [],
        BagOfWords(),
        name="bag of words",
        spec={"loader": "text"},
        pretrained=False,
        source="no weights",
    )


def small_text(
    tokens: Tokens | None = None, width: int = 64, depth: int = 2, heads: int = 4, seed: int = 0
) -> Backbone:
    """Texts → n × width, a small transformer with random weights.

    tokens: how texts become numbers; its vocabulary may be fitted later, as the network has room for any.
    The stages are an embedding of words and places, `depth` blocks, and the mean over the words. Between them
    goes n × length × (width + 1): the last column is 1 where there is a word and 0 in padding. width: of the
    features. heads: of attention. seed: of the weights; the global generator stays as it is.

    Raises `InputError` for a width that is no multiple of heads or above 512, and for no block or more than
    24.

    Vaswani et al., NeurIPS 2017, arXiv:1706.03762; normalised before each part, Xiong et al., ICML 2020,
    arXiv:2002.04745.

    >>> from regraft.readers import Texts
    >>> owls = Texts(("the owl hoots", "the owl"))
    >>> small_text(Tokens(most_words=20).fit(owls), width=8).features(owls).shape
    torch.Size([2, 8])
    """
    tokens = tokens or Tokens()
    if not 1 <= heads <= width <= MOST_WIDTH or width % heads or not 1 <= depth <= MOST_BLOCKS:
        raise InputError(
            f"width {width}, depth {depth} and {heads} heads were given to the small text network: give a "
            f"width of at most {MOST_WIDTH} that is a multiple of heads, and 1 to {MOST_BLOCKS} blocks"
        )
    with luck_of(seed):
        stages: list[tuple[str, nn.Module]] = [
            ("words", _Embedding(tokens.numbers, tokens.longest, width)),
            *((f"block{i}", _Block(width, heads)) for i in range(1, depth + 1)),
            ("whole", _Mean()),
        ]
    return Backbone(
        stages,
        tokens,
        name="small text",
        spec={
            "loader": "small text",
            "most_words": tokens.most_words,
            "longest": tokens.longest,
            "width": width,
            "depth": depth,
            "heads": heads,
            "seed": seed,
        },
        licence="none: random weights",
        source="random weights",
        pretrained=False,
    )


def rebuild_small_text(spec: dict[str, Any]) -> Backbone:
    """The network that the spec of `small_text` describes, its vocabulary not fitted.

    >>> rebuild_small_text(small_text(depth=1).spec).names
    ['words', 'block1', 'whole']
    """
    rest = {name: spec[name] for name in ("width", "depth", "heads", "seed")}
    return small_text(Tokens(spec["most_words"], spec["longest"]), **rest)


class _Rows(nn.Embedding):
    """Rows that start as small as BERT's, so that steps of a usual rate change their directions soon."""

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=SPREAD)
        self._fill_padding_idx_with_zero()


class _Embedding(nn.Module):
    """norm(word + place), and beside it whether there is a word."""

    def __init__(self, numbers: int, longest: int, width: int) -> None:
        super().__init__()
        self.words = _Rows(numbers, width, padding_idx=PAD)
        self.places = _Rows(longest, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Int[Tensor, "n l"]) -> Float[Tensor, "n l d1"]:
        z = self.norm(self.words(x) + self.places.weight[: x.shape[1]])
        return torch.cat([z, (x != PAD)[..., None].to(z.dtype)], 2)


class _Block(nn.Module):
    """z ← z + attention(norm(z)), then z ← z + W gelu(V norm(z)); padding is not looked at."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.ask = nn.Linear(width, 3 * width)
        self.answer = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def extra_repr(self) -> str:
        return f"heads={self.heads}"

    def forward(self, x: Float[Tensor, "n l d1"]) -> Float[Tensor, "n l d1"]:
        z, there = x[..., :-1], x[..., -1:]
        z = z + self.attended(self.before(z), there)
        z = z + self.narrow(gelu(self.widen(self.between(z))))
        return torch.cat([z, there.to(z.dtype)], 2)

    def attended(self, z: Float[Tensor, "n l d"], there: Float[Tensor, "n l 1"]) -> Float[Tensor, "n l d"]:
        asked = self.ask(z).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        unseen = (UNSEEN * (1 - there))[:, None].transpose(2, 3).to(asked.dtype)
        found = scaled_dot_product_attention(asked[0], asked[1], asked[2], attn_mask=unseen)
        answer: Tensor = self.answer(found.transpose(1, 2).flatten(2))
        return answer


class _Mean(nn.Module):
    """The mean over the places where there is a word."""

    def forward(self, x: Float[Tensor, "n l d1"]) -> Float[Tensor, "n d"]:
        z, there = x[..., :-1], x[..., -1:]
        return (z * there).sum(1) / there.sum(1).clamp_min(1.0)
