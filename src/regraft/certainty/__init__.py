"""How sure a model may be: calibrated probabilities, what cannot be ruled out, novelty."""

from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor

from ..domain import Domain
from ..errors import InputError
from ..output import Classes, Mask, MultiLabel, Output, Real
from .answers import Answers, ClassAnswers, LabelAnswers, RealAnswers
from .certainty import Certainty
from .classes import ClassCertainty
from .conformal import conformal_quantile, coverage_band
from .labels import LabelCertainty
from .novelty import Novelty
from .real import RealCertainty
from .temperature import fitted_temperature

__all__ = [
    "CERTAINTIES",
    "Answers",
    "Certainty",
    "ClassAnswers",
    "ClassCertainty",
    "LabelAnswers",
    "LabelCertainty",
    "Novelty",
    "RealAnswers",
    "RealCertainty",
    "certainty_from_json",
    "certainty_of",
    "conformal_quantile",
    "coverage_band",
    "fitted_temperature",
    "unsure_answers",
]

CERTAINTIES: dict[str, type[Certainty]] = {
    certainty.kind: certainty for certainty in (ClassCertainty, RealCertainty, LabelCertainty)
}


def certainty_of(
    logits: Float[Tensor, "r n k"], judged: Domain, features: Domain, directions: bool
) -> Certainty | None:
    """What `Certainty.of` of that kind of answer makes of held-out scores; None for a kind that has none."""
    kind = CERTAINTIES.get(judged.asked.kind)
    return None if kind is None else kind.of(logits, judged, features, directions)


def certainty_from_json(saved: dict[str, Any], tensors: Mapping[str, Tensor]) -> Certainty:
    """An empty one of the saved kind and size; its tensors are loaded into it. The list is closed.

    tensors: those that will be loaded, by name within the certainty.
    """
    kind = CERTAINTIES[saved.get("kind", Classes.kind)]  # the first folders had no other
    points = "entries.novelty.points" if kind is LabelCertainty else "novelty.points"
    return kind.from_json(saved, tensors[points].shape)


def unsure_answers(output: Output, expected: Float[Tensor, "n k"]) -> Answers:
    """What a model says that was fitted without a judge, and so does not know how sure it is."""
    if isinstance(output, Mask):
        raise InputError(f"{output.describe()} have no single label: use masks, or each_mask")
    label = output.decode(output.answer(expected))
    if isinstance(output, Real):
        return RealAnswers(label, output.names, expected)
    if isinstance(output, MultiLabel):
        return LabelAnswers(label, output.names, expected)
    return ClassAnswers(label, expected)
