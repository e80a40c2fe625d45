"""What kind of answer a domain's y is: each kind owns its loss, its decisions, its names and its JSON."""

from typing import Any

from ..errors import InputError
from .classes import Classes, Spelling, classes_of, label_name, spelled_alike
from .mask import Mask
from .multi_label import MultiLabel
from .output import Output
from .real import Real

__all__ = [
    "OUTPUTS",
    "Classes",
    "Mask",
    "MultiLabel",
    "Output",
    "Real",
    "Spelling",
    "classes_of",
    "label_name",
    "output_from_json",
    "spelled_alike",
]

OUTPUTS: dict[str, type[Output]] = {kind.kind: kind for kind in (Classes, Real, MultiLabel, Mask)}


def output_from_json(saved: dict[str, Any]) -> Output:
    """The output that `to_json` described; the list of kinds is closed."""
    kind = saved.get("kind")
    if kind not in OUTPUTS:
        raise InputError(f"output of kind {kind!r} is unknown; known: {sorted(OUTPUTS)}")
    return OUTPUTS[kind].from_json(saved)
