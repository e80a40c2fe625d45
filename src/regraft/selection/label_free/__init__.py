"""Judges without target labels: each an object with the same call, none safe alone."""

from .agreement import Agreement
from .cluster_agreement import ClassAMI
from .collapse import collapse
from .dev import DEV
from .entropy import Entropy
from .importance_weighted import ImportanceWeighted
from .mix_val import MixVal
from .nuclear_norm import NuclearNorm
from .predictability import Predictability
from .reverse_validation import ReverseValidation
from .snd import SND
from .source_accuracy import SourceAccuracy
from .trial import HeldOut, LabelFree, Trial
from .trying import LEFT, SEEN, Round, Trials

__all__ = [
    "DEV",
    "LABEL_FREE",
    "LEFT",
    "SEEN",
    "SND",
    "Agreement",
    "ClassAMI",
    "Entropy",
    "HeldOut",
    "ImportanceWeighted",
    "LabelFree",
    "MixVal",
    "NuclearNorm",
    "Predictability",
    "ReverseValidation",
    "Round",
    "SourceAccuracy",
    "Trial",
    "Trials",
    "collapse",
]

# those that the stack listens to come first
LABEL_FREE: tuple[LabelFree, ...] = (
    ClassAMI(),
    Predictability(),
    NuclearNorm(),
    Entropy(),
    SourceAccuracy(),
    ImportanceWeighted(),
    DEV(),
    ReverseValidation(),
    Agreement(),
    MixVal(),
    SND(),
)
