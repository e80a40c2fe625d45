"""Boosted trees from a file that somebody else wrote."""

import json

import pytest
import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.heads import Trees
from regraft.methods import METHODS
from regraft.problem import Problem

pytest.importorskip("xgboost")


@pytest.fixture(scope="module")
def grown():
    """The JSON of a few trees on three columns."""
    x = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    data = Domain(x, ["owl" if v > 0 else "crow" for v in x[:, 0]])
    return METHODS["Boosting"](trees=3).fit(Problem(target_labelled=data), vectors()).head


def circle(model):
    model["trees"][0]["left_children"][0] = 0


def outside(model):
    model["trees"][0]["right_children"][0] = 10**9


def negative(model):
    model["trees"][0]["right_children"][0] = -5


def column(model):
    model["trees"][0]["split_indices"][0] = 10**9


def score(model):
    model["tree_info"][0] = 10**6


def categories(model):
    model["trees"][0]["split_type"][0] = 1


def short(model):
    model["trees"][0]["split_conditions"].pop()


def missing(model):
    del model["trees"][0]["tree_param"]


def more(model):
    model["gbtree_model_param"]["num_trees"] = "1000000"


def vector(model):
    model["trees"][0]["tree_param"]["size_leaf_vector"] = "4000000"


ATTACKS = [circle, outside, negative, column, score, categories, short, missing, more, vector]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_trees_that_would_never_end_or_reach_outside_are_refused(grown, attack):
    saved = json.loads(grown.json.numpy().tobytes())
    attack(saved["learner"]["gradient_booster"]["model"])
    head = Trees(2, [0, 1], text=json.dumps(saved).encode())
    with pytest.raises(InputError, match="damaged: save the model again"):
        head(torch.zeros(1, 3))


def test_columns_and_classes_that_are_not_there(grown):
    with pytest.raises(InputError, match="damaged"):
        grown(torch.zeros(1, 2))
    for present in ([0, 2], [0, 0], [-1, 0]):
        with pytest.raises(InputError, match="trees for the classes"):
            Trees(2, present)
