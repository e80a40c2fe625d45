"""The pretext tasks, one file each, by family."""

from ..errors import InputError, near
from ..pretext import Pretext
from .adversarial.discriminator import Discriminator
from .contrastive.byol import BYOL
from .contrastive.simclr import SimCLR
from .contrastive.vicreg import VICReg
from .prediction.colorization import Colorization
from .prediction.exemplar import Exemplar
from .prediction.inpainting import Inpainting
from .prediction.jigsaw import Jigsaw
from .prediction.masked_words import MaskedWords
from .prediction.next_sentence import NextSentence
from .prediction.relative_patch import RelativePatch
from .prediction.rotation import Rotation
from .prediction.slow_features import SlowFeatures
from .reconstruction.autoencoder import Autoencoder
from .reconstruction.denoising_autoencoder import DenoisingAutoencoder
from .reconstruction.masked_autoencoder import MaskedAutoencoder
from .reconstruction.masked_columns import MaskedColumns
from .reconstruction.stacked_autoencoder import StackedAutoencoder
from .reconstruction.variational_autoencoder import VariationalAutoencoder

__all__ = ["PRETEXTS", "pretext_named"]

PRETEXTS: dict[str, type[Pretext]] = {
    task.__name__: task
    for task in (
        Rotation,
        Jigsaw,
        RelativePatch,
        Colorization,
        Exemplar,
        SlowFeatures,
        Inpainting,
        MaskedWords,
        NextSentence,
        SimCLR,
        VICReg,
        BYOL,
        Autoencoder,
        DenoisingAutoencoder,
        StackedAutoencoder,
        VariationalAutoencoder,
        MaskedAutoencoder,
        MaskedColumns,
        Discriminator,
    )
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
