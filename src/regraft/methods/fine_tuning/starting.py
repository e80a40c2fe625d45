"""Where fine-tuning starts from: a head that is already at its optimum."""

from torch import Tensor

from ...backbone import Backbone
from ...features import embed
from ...heads import Linear
from ...problem import Problem
from ...training import Training
from ..features.linear_probe import LinearProbe


def probed(backbone: Backbone, problem: Problem, training: Training) -> Linear:
    """The linear probe on the features before training, in float32, free to be trained."""
    features = embed(backbone, problem.domains["target_labelled"], None, training.engine)
    assert isinstance(features.x, Tensor)
    solved = LinearProbe().head(features.with_(x=features.x.flatten(1)), training)
    assert isinstance(solved, Linear)
    return Linear.of(solved.weight.detach().float(), solved.bias.detach().float())
