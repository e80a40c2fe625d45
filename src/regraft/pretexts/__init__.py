"""The pretext tasks, one file each, by family."""

from ..errors import InputError, near
from ..pretext import Pretext
from .contrastive.byol import BYOL
from .contrastive.simclr import SimCLR
from .contrastive.vicreg import VICReg
from .prediction.masked_words import MaskedWords
from .prediction.next_sentence import NextSentence
from .prediction.rotation import Rotation

__all__ = ["PRETEXTS", "pretext_named"]

PRETEXTS: dict[str, type[Pretext]] = {
    task.__name__: task for task in (Rotation, MaskedWords, NextSentence, SimCLR, VICReg, BYOL)
}


def pretext_named(name: str) -> type[Pretext]:
    """The task of that name, however it is spelled.

    >>> pretext_named("rotation").__name__
    'Rotation'
    """
    known = {task.lower(): made for task, made in PRETEXTS.items()}
    wanted = name.lower().replace("-", "").replace("_", "").replace(" ", "")
    if wanted not in known:
        raise InputError(
            f"task {name!r} is unknown{near(wanted, list(known))}: name one of {', '.join(PRETEXTS)}"
        )
    return known[wanted]
