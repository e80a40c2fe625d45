"""From samples to the tensor that a network eats: by a fixed rule, or one fitted to the training fold."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, final

import torch
from torch import Tensor, nn

from ..errors import InputError
from ..samples import Samples

__all__ = ["AsTheyAre", "Preprocessing", "preprocessing_from_json"]


class Preprocessing(ABC):
    """A rule from samples to a tensor with one row a sample. It travels with the weights it belongs to."""

    kind: ClassVar[str]

    @abstractmethod
    def __call__(self, x: Tensor | Samples) -> Tensor:
        """The samples as a tensor."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The rule in words and numbers; `preprocessing_from_json` reads it back."""

    @property
    def fitted(self) -> bool:
        """False where the rule has to see training samples first, which then happens in every fold."""
        return True

    def fit(self, x: Tensor | Samples) -> "Preprocessing":
        """The rule fitted to the training samples; a fixed rule is itself."""
        return self

    @property
    def reading(self) -> dict[str, Any]:
        """How files become the samples that the rule takes, in words, for whoever reads them elsewhere."""
        return {}

    def first_stage(self) -> nn.Module:
        """What the network does first with the tensor, such as normalising pixels."""
        return nn.Identity()

    def tensors(self) -> dict[str, Tensor]:
        """What was fitted."""
        return {}


@final
class AsTheyAre(Preprocessing):
    """Tensors stay what they are: activations at a cut, or input that the user has prepared.

    >>> AsTheyAre()(torch.ones(1, 2))
    tensor([[1., 1.]])
    """

    kind = "as they are"

    def __call__(self, x: Tensor | Samples) -> Tensor:
        if not isinstance(x, Tensor):
            raise InputError(
                f"this network takes tensors, and the samples are {x}: use a backbone for such samples"
            )
        if x.is_floating_point() and not torch.isfinite(x).all():
            row, *_ = (~torch.isfinite(x.flatten(1)).all(1)).nonzero()[0].tolist()
            raise InputError(
                f"x contains NaN or infinity, first in row {row}: fill or drop such values before"
            )
        return x

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind}


def preprocessing_from_json(saved: dict[str, Any], tensors: dict[str, Tensor]) -> Preprocessing:
    """The rule that `to_json` and `tensors` described; the list of kinds is closed."""
    from .images import ImagePreprocessing
    from .tables import TablePreprocessing
    from .tokens import BagOfWords, Tokens
    from .vectors import Standardised
    from .words import WordCounts

    kind = saved.get("kind")
    if kind == AsTheyAre.kind:
        return AsTheyAre()
    if kind == WordCounts.kind:
        return WordCounts()
    if kind == ImagePreprocessing.kind:
        return ImagePreprocessing.from_json(saved)
    if kind == Standardised.kind:
        return Standardised.from_json(saved, tensors)
    if kind == TablePreprocessing.kind:
        return TablePreprocessing.from_json(saved, tensors)
    if kind == Tokens.kind:
        return Tokens.from_json(saved)
    if kind == BagOfWords.kind:
        return BagOfWords.from_json(saved)
    raise InputError(f"preprocessing of kind {kind!r} is unknown to this version of Regraft")
