"""What learns from features that were mapped or weighted."""

import pytest
import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods.features.learners import LEARNERS, learner_of
from regraft.methods.features.linear_probe import LinearProbe
from regraft.output import Classes, MultiLabel, Real
from regraft.problem import Problem

CLASSES, LABELS, NUMBERS = Classes(("crow", "owl")), MultiLabel(("crow", "owl")), Real(("weight",))


@pytest.mark.parametrize(
    ("output", "usual", "linear"),
    [
        (CLASSES, "RidgeProbe", "LinearProbe"),
        (NUMBERS, "RidgeProbe", "RidgeProbe"),
        (LABELS, "LinearProbe", "LinearProbe"),
    ],
    ids=["classes", "numbers", "labels"],
)
def test_auto_is_ridge_where_ridge_can_learn(output, usual, linear):
    assert type(learner_of("auto", output)).__name__ == usual
    assert type(learner_of("probe", output)).__name__ == linear
    assert type(learner_of("cautious", output)).__name__ == linear


def test_others_are_what_they_are_called():
    assert [type(learner_of(name, CLASSES)).__name__ for name in LEARNERS[3:]] == [
        "RidgeProbe",
        "KernelProbe",
    ]


def test_only_of_classes_a_probe_is_cautious():
    assert learner_of("cautious", CLASSES).cautious
    assert learner_of("cautious", LABELS) == learner_of("probe", LABELS)
    labels = Domain(torch.eye(4), torch.tensor([[1, 0], [0, 1], [0, 0], [1, 1]]), LABELS)
    with pytest.raises(InputError, match="cautious is for classes"):
        LinearProbe(cautious=True).fit(Problem(target_labelled=labels), vectors())


def test_what_cannot_be_learned_is_one_line():
    with pytest.raises(InputError, match="learner is 'forest': name one of auto, probe, cautious, ridge"):
        learner_of("forest", CLASSES)
    with pytest.raises(InputError, match="RidgeProbe"):
        learner_of("ridge", LABELS)
