"""What tasks about texts share: the vocabulary of the network that learns."""

from dataclasses import dataclass

from ..backbone import Backbone
from ..errors import InputError
from ..preprocessing.tokens import Tokens
from ..pretext import TOKENS, Pretext


@dataclass(frozen=True, kw_only=True)
class OfTexts(Pretext):
    """A task about the words of texts, by the numbers that `Tokens` gives them."""

    takes = frozenset({TOKENS})

    def vocabulary(self, backbone: Backbone) -> Tokens:
        """What numbers mean; InputError for a network that takes numbers of another making."""
        if not isinstance(backbone.preprocessing, Tokens):
            raise InputError(
                f"{type(self).__name__} has to know which numbers are words, and {backbone.name} takes "
                "numbers of another making: take small_text, and give it texts"
            )
        return backbone.preprocessing
