"""Judges without target labels: each an object with the same call, none safe alone."""

from .entropy import Entropy
from .trial import LabelFree, Trial

__all__ = ["LABEL_FREE", "Entropy", "LabelFree", "Trial"]

LABEL_FREE: tuple[LabelFree, ...] = (Entropy(),)
