"""No network at all: samples as vectors, which is what a baseline sees."""

from torch import nn

from ..backbone import Backbone
from ..preprocessing.images import ImagePreprocessing
from ..preprocessing.tables import TablePreprocessing
from ..preprocessing.vectors import Standardised
from ..preprocessing.words import WordCounts
from ..readers.decoding import THUMBNAIL


def vectors() -> Backbone:
    """Vectors as they are, each column scaled by what the training fold shows.

    >>> len(vectors()), vectors().pretrained
    (0, False)
    """
    return Backbone(
        [], Standardised(), name="columns", spec={"loader": "vectors"}, pretrained=False, source="no weights"
    )


def table() -> Backbone:
    """The columns of a table: numbers scaled, categories one-hot, missing values filled."""
    return Backbone(
        [],
        TablePreprocessing(),
        name="columns",
        spec={"loader": "table"},
        pretrained=False,
        source="no weights",
    )


def words() -> Backbone:
    """Counts of words, as logarithms, each row of length 1.

    >>> words().name
    'words'
    """
    return Backbone(
        [], WordCounts(), name="words", spec={"loader": "words"}, pretrained=False, source="no weights"
    )


def pixels(side: int = THUMBNAIL) -> Backbone:
    """The colours of a small thumbnail, side × side × 3 numbers."""
    look = ImagePreprocessing((side, side), "squash", crop_fraction=1.0, mean=(0.0,) * 3, std=(1.0,) * 3)
    return Backbone(
        [("pixels", nn.Sequential(look.first_stage(), nn.Flatten()))],
        look,
        name="raw pixels",
        spec={"loader": "pixels", "side": side},
        pretrained=False,
        source="no weights",
    )
