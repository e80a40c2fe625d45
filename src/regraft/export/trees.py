"""Boosted trees as tables of numbers, for graphs that cannot call their library."""

import json
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..heads import Trees
from ..heads.boosting import ABSENT


@final
class TreeTables(nn.Module):
    """The scores of `Trees` by look-ups alone: every sample goes down all trees at once, a level a step.

    At a node z < threshold goes left, in float32 as xgboost compares; a leaf leads to itself.
    """

    roots: Tensor
    left: Tensor
    right: Tensor
    feature: Tensor
    number: Tensor  # a threshold, or what a leaf adds
    base: Tensor
    of_class: Tensor

    def __init__(self, trees: Trees) -> None:
        super().__init__()
        learner = json.loads(trees.json.numpy().tobytes())["learner"]
        model = learner["gradient_booster"]["model"]
        left: list[int] = []
        right: list[int] = []
        feature: list[int] = []
        number: list[float] = []
        roots: list[int] = []
        self.depth = 0
        for tree in model["trees"]:
            roots.append(first := len(left))
            children = list(zip(tree["left_children"], tree["right_children"], strict=True))
            left += [first + (a if a >= 0 else i) for i, (a, _) in enumerate(children)]
            right += [first + (b if b >= 0 else i) for i, (_, b) in enumerate(children)]
            feature += tree["split_indices"]
            number += tree["split_conditions"]
            self.depth = max(self.depth, _depth(children))
        self.register_buffer("roots", torch.tensor(roots))
        self.register_buffer("left", torch.tensor(left))
        self.register_buffer("right", torch.tensor(right))
        self.register_buffer("feature", torch.tensor(feature))
        self.register_buffer("number", torch.tensor(number))
        start = torch.tensor(json.loads(learner["learner_model_param"]["base_score"]), dtype=torch.float64)
        base = torch.full((trees.classes,), ABSENT, dtype=torch.float64)
        base[trees.present] = start.expand(len(trees.present))
        of_class = torch.tensor(trees.present)[torch.tensor(model["tree_info"])]
        self.register_buffer("base", base)
        self.register_buffer("of_class", nn.functional.one_hot(of_class, trees.classes).double())

    def forward(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        x = z.float()
        at = self.roots.expand(x.shape[0], -1)
        for _ in range(self.depth):
            goes_left = x.gather(1, self.feature[at]) < self.number[at]
            at = torch.where(goes_left, self.left[at], self.right[at])
        scores: Tensor = self.number[at].double() @ self.of_class + self.base
        return scores


def _depth(children: list[tuple[int, int]]) -> int:
    """The longest way from the root (node 0) to a leaf."""
    level, depth = [0], 0
    while level := [child for node in level for child in children[node] if child >= 0]:
        depth += 1
    return depth
