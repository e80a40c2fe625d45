"""Boosted trees, held as the JSON text that their library writes."""

import json
from typing import Any, ClassVar, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..errors import InputError

ABSENT = -20.0  # the score of a class that the training samples do not show
# what splits on categories would need, and our columns are all numbers
CATEGORIES = ("categories", "categories_nodes", "categories_segments", "categories_sizes")


def import_xgboost() -> Any:
    """xgboost, or how to get it."""
    try:
        import xgboost
    except ImportError as reason:
        raise InputError("boosted trees need xgboost: pip install 'regraft[tables]'") from reason
    return xgboost


@final
class Trees(nn.Module):
    """Scores of an ensemble of boosted trees (xgboost); `present` maps its classes to ours.

    numbers: the scores are numbers that are asked for, all of them there.
    """

    kind: ClassVar[str] = "trees"

    def __init__(
        self, classes: int, present: list[int], size: int = 0, text: bytes = b"", numbers: bool = False
    ) -> None:
        super().__init__()
        self.json: Tensor
        stored = torch.zeros(size, dtype=torch.uint8)
        if text:
            stored = torch.from_numpy(np.frombuffer(text, dtype=np.uint8).copy())
        self.register_buffer("json", stored)
        if len(set(present)) < len(present) or not set(present) <= set(range(classes)):
            raise InputError(f"trees for the classes {present} of {classes} are none: save the model again")
        self.classes = classes
        self.present = list(present)
        self.numbers = numbers

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        xgboost = import_xgboost()
        text = self.json.numpy().tobytes()
        _must_be_trees(text, z.shape[1], len(self.present), self.numbers)
        booster = xgboost.Booster()
        booster.load_model(bytearray(text))
        margin = booster.predict(xgboost.DMatrix(z.double().numpy()), output_margin=True)
        scores = torch.full((len(z), self.classes), ABSENT, dtype=torch.float64)
        scores[:, self.present] = torch.from_numpy(margin.reshape(len(z), -1)).double()
        return scores

    def to_json(self) -> dict[str, Any]:
        size = len(self.json)
        told = {"kind": self.kind, "classes": self.classes, "present": self.present, "size": size}
        return {**told, "numbers": True} if self.numbers else told


def _must_be_trees(text: bytes, columns: int, scores: int, numbers: bool) -> None:
    """Raise InputError unless every tree ends: its library walks along any index that a file holds.

    A child comes after its parent, a split is on a column that there is, and a tree adds to a score that
    there is.
    """
    try:
        learner = json.loads(text)["learner"]
        booster, told = learner["gradient_booster"], learner["learner_model_param"]
        model = booster["model"]
        sound = (
            booster["name"] == "gbtree"
            and int(told["num_feature"]) == columns
            and int(told["num_class"]) == (0 if numbers else scores)
            and int(told.get("num_target", 1)) == (scores if numbers else 1)
            and int(model["gbtree_model_param"]["num_trees"])
            == len(model["trees"])
            == len(model["tree_info"])
            and int(model["gbtree_model_param"].get("num_parallel_tree", 1)) == 1
            and all(0 <= score < scores for score in model["tree_info"])
            and sorted(model["iteration_indptr"]) == model["iteration_indptr"]
            and (model["iteration_indptr"][0], model["iteration_indptr"][-1]) == (0, len(model["trees"]))
            and all(_ends(tree, columns) for tree in model["trees"])
        )
    except (LookupError, TypeError, ValueError, RecursionError):
        sound = False
    if not sound:
        raise InputError("the boosted trees of this model are damaged: save the model again")


def _ends(tree: dict[str, Any], columns: int) -> bool:
    """Whether a walk from the root of the tree ends in a leaf."""
    n = int(tree["tree_param"]["num_nodes"])
    nodes = list(zip(tree["left_children"], tree["right_children"], tree["split_indices"], strict=True))
    others = ("parents", "split_conditions", "default_left", "base_weights", "split_type")
    return (
        len(nodes) == n > 0
        and int(tree["tree_param"]["size_leaf_vector"]) <= 1
        and all(len(tree[name]) == n for name in others)
        and not any(tree["split_type"])
        and not any(tree.get(name) for name in CATEGORIES)
        and all(
            left == right == -1 or (i < left < n and i < right < n and 0 <= column < columns)
            for i, (left, right, column) in enumerate(nodes)
        )
    )
