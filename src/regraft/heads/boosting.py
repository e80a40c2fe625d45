"""Boosted trees, held as the JSON text that their library writes."""

from typing import Any, ClassVar, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..errors import InputError

ABSENT = -20.0  # the score of a class that the training samples do not show


def import_xgboost() -> Any:
    """xgboost, or how to get it."""
    try:
        import xgboost
    except ImportError as reason:
        raise InputError("boosted trees need xgboost: pip install 'regraft[tables]'") from reason
    return xgboost


@final
class Trees(nn.Module):
    """Scores of an ensemble of boosted trees (xgboost); `present` maps its classes to ours."""

    kind: ClassVar[str] = "trees"

    def __init__(self, classes: int, present: list[int], size: int = 0, text: bytes = b"") -> None:
        super().__init__()
        self.json: Tensor
        stored = torch.zeros(size, dtype=torch.uint8)
        if text:
            stored = torch.from_numpy(np.frombuffer(text, dtype=np.uint8).copy())
        self.register_buffer("json", stored)
        self.classes = classes
        self.present = list(present)

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        xgboost = import_xgboost()
        booster = xgboost.Booster()
        booster.load_model(bytearray(self.json.numpy().tobytes()))
        margin = booster.predict(xgboost.DMatrix(z.double().numpy()), output_margin=True)
        scores = torch.full((len(z), self.classes), ABSENT, dtype=torch.float64)
        scores[:, self.present] = torch.from_numpy(margin.reshape(len(z), -1)).double()
        return scores

    def to_json(self) -> dict[str, Any]:
        size = len(self.json)
        return {"kind": self.kind, "classes": self.classes, "present": self.present, "size": size}
