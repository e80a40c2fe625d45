"""Words of texts as numbers: by a vocabulary fitted to texts, in order (tokens) or counted (a bag)."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar, final

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import InputError
from ..readers.texts import Texts
from ..samples import Samples, describe
from ..sparse import SparseRows
from . import Preprocessing
from .words import WordCounts

# a lone half of a pair of surrogates is no sign, and cannot be written as UTF-8
WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s\ud800-\udfff]")
MOST_LETTERS = 40  # of a word; what is longer is cut
READING = "NFC, lower case; words, and every other visible sign by itself"
PAD, MASK, START, APART = range(4)  # BERT's [PAD], [MASK], [CLS] and [SEP]
BUCKETS = 64  # for words that the vocabulary lacks, told apart by a hash
FIRST_BUCKET, FIRST_WORD = APART + 1, APART + 1 + BUCKETS
LEAST_LENGTH, MOST_LENGTH, MOST_WORDS = 8, 1024, 1 << 16
COVERED = 0.95  # share of the texts that are not cut
MOST_COUNTED = 4096  # words of a bag


def words_of(text: str) -> Iterator[str]:
    """The words of a text in lower case, and every other visible sign by itself.

    >>> list(words_of("Owls don't hoot, do they?"))
    ['owls', "don't", 'hoot', ',', 'do', 'they', '?']
    """
    return (found[0][:MOST_LETTERS] for found in WORD.finditer(unicodedata.normalize("NFC", text).lower()))


def most_frequent(words: Iterable[str], most: int, least: int = 1) -> tuple[str, ...]:
    """At most so many words that come `least` times or more: the most frequent first, ties by the alphabet.

    >>> most_frequent("b a c b a b".split(), most=5, least=2)
    ('b', 'a')
    """
    counts = Counter(words)
    found = [word for word, times in counts.items() if times >= least]
    return tuple(sorted(found, key=lambda word: (-counts[word], word))[:most])


@final
@dataclass(frozen=True, eq=False)
class Tokens(Preprocessing):
    """A text as whole numbers: START, its words, APART, and PAD up to the length.

    most_words: how many words have a number of their own: the most frequent, of those that came twice in the
    texts it was fitted to. All others share `BUCKETS` numbers by a hash, so that what was rare then says how
    a new word is to be taken. longest: the most numbers a text may have; `length`, which is fitted, is that
    which 95 of 100 texts need. What is longer is cut.

    >>> rule = Tokens(longest=8).fit(Texts(("the owl hoots", "the owl")))
    >>> rule.words, rule(Texts(("The owl",))).tolist()
    (('owl', 'the'), [[2, 69, 68, 3, 0, 0, 0, 0]])
    >>> Tokens.from_json(rule.to_json()).words == rule.words
    True
    """

    kind: ClassVar[str] = "tokens"

    most_words: int = 8192
    longest: int = 256
    words: tuple[str, ...] | None = None
    length: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.most_words <= MOST_WORDS or not LEAST_LENGTH <= self.longest <= MOST_LENGTH:
            raise InputError(
                f"{self.most_words} words and {self.longest} numbers a text were asked for: give 1 to "
                f"{MOST_WORDS:,} words and {LEAST_LENGTH} to {MOST_LENGTH:,} numbers"
            )
        if self.words is None:
            return
        if len(self.words) > self.most_words or not LEAST_LENGTH <= self.length <= self.longest:
            raise InputError(
                f"{len(self.words)} words and a length of {self.length} are no vocabulary of at most "
                f"{self.most_words} words and {self.longest} numbers a text: fit it again"
            )

    @property
    def fitted(self) -> bool:
        return self.words is not None

    @property
    def numbers(self) -> int:
        """How many numbers there can be, whatever texts it is fitted to: what an embedding has rows for."""
        return FIRST_WORD + self.most_words

    @property
    def known(self) -> int:
        """One more than the largest number that comes out."""
        return FIRST_WORD + len(self.words or ())

    def numbered_alike(self, other: Preprocessing) -> bool:
        """Whether a network that was built for these numbers takes those of another rule.

        >>> [Tokens().numbered_alike(other) for other in (Tokens(most_words=9), Tokens(words=(), length=8))]
        [False, True]
        """
        sizes = self.most_words, self.longest
        return isinstance(other, Tokens) and sizes == (other.most_words, other.longest)

    def fit(self, x: Tensor | Samples) -> "Tokens":
        told = [list(words_of(text)) for text in texts_in(x).texts]
        needed = np.quantile([len(words) + 2 for words in told], COVERED) if told else 0
        words = most_frequent((word for words in told for word in words), self.most_words, least=2)
        length = min(self.longest, max(LEAST_LENGTH, int(np.ceil(needed))))
        return Tokens(self.most_words, self.longest, words, length)

    def __call__(self, x: Tensor | Samples) -> Int[Tensor, "n l"]:
        if self.words is None:
            raise InputError("the vocabulary is not fitted yet: call fit with the training texts")
        texts = texts_in(x)
        made = torch.full((len(texts), self.length), PAD, dtype=torch.long)
        for row, text in zip(made, texts.texts, strict=True):
            told = [START, *map(self._number, islice(words_of(text), self.length - 2)), APART]
            row[: len(told)] = torch.tensor(told)
        return made

    @property
    def reading(self) -> dict[str, Any]:
        return {"words": READING}

    def to_json(self) -> dict[str, Any]:
        words = None if self.words is None else list(self.words)
        told = {"most_words": self.most_words, "longest": self.longest, "length": self.length}
        return {"kind": self.kind, **told, "words": words}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "Tokens":
        words = None if saved["words"] is None else tuple(map(str, saved["words"]))
        return cls(int(saved["most_words"]), int(saved["longest"]), words, int(saved["length"]))

    @cached_property
    def _place(self) -> dict[str, int]:
        return {word: FIRST_WORD + i for i, word in enumerate(self.words or ())}

    def _number(self, word: str) -> int:
        place = self._place.get(word)
        if place is not None:
            return place
        return FIRST_BUCKET + hashlib.blake2b(word.encode(), digest_size=1).digest()[0] % BUCKETS


@final
@dataclass(frozen=True, eq=False)
class BagOfWords(Preprocessing):
    """log(1 + count) of every word, each text of length 1: what texts are to a linear model (`WordCounts`).

    words: the 4,096 most frequent of the texts that it was fitted to; others count for nothing.

    >>> rule = BagOfWords().fit(Texts(("the owl hoots", "the crow")))
    >>> rule.words
    ('the', 'crow', 'hoots', 'owl')
    >>> rule(Texts(("owl! owl!",))).tolist()
    [[0.0, 0.0, 0.0, 1.0]]
    """

    kind: ClassVar[str] = "bag of words"

    words: tuple[str, ...] | None = None

    @property
    def fitted(self) -> bool:
        return self.words is not None

    def fit(self, x: Tensor | Samples) -> "BagOfWords":
        words = most_frequent((word for text in texts_in(x).texts for word in words_of(text)), MOST_COUNTED)
        if not words:
            raise InputError(f"{describe(x)} hold no words: give texts with something written in them")
        return BagOfWords(words)

    def __call__(self, x: Tensor | Samples) -> Float[Tensor, "n d"]:
        if self.words is None:
            raise InputError("the vocabulary is not fitted yet: call fit with the training texts")
        rows, columns = [], []
        for row, text in enumerate(texts_in(x).texts):
            found = [place for word in words_of(text) if (place := self._place.get(word)) is not None]
            rows += [row] * len(found)
            columns += found
        shape = (len(x), len(self.words))
        counts = scipy.sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape)
        return WordCounts()(SparseRows(counts))

    @property
    def reading(self) -> dict[str, Any]:
        return {"words": READING}

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "words": None if self.words is None else list(self.words)}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> "BagOfWords":
        return cls(None if saved["words"] is None else tuple(map(str, saved["words"])))

    @cached_property
    def _place(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words or ())}


def texts_in(x: Tensor | Samples) -> Texts:
    """The samples, where they are texts."""
    if not isinstance(x, Texts):
        raise InputError(
            f"this network takes texts, and the samples are {describe(x)}: read them with read_texts (--text)"
        )
    return x


def takes_texts(preprocessing: Preprocessing) -> bool:
    """Whether what it prepares are texts."""
    return isinstance(preprocessing, Tokens | BagOfWords)
