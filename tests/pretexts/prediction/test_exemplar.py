"""Every sample a class."""

import numpy as np
import torch
from torch import nn

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.pretexts.prediction.exemplar import Exemplar
from regraft.problem import Problem
from regraft.trained import Network
from regraft.training import Step, Training


def test_it_is_the_cross_entropy_of_which_sample_it_was():
    task = Exemplar(classes=4, corrupt=0.0)
    drawn = task.drawn_from(Domain(torch.arange(18.0).reshape(9, 2)), Training())
    assert drawn.origin.tolist() == [0, 1, 2, 3]
    assert len({tuple(row) for row in drawn.x.tolist()}) == 4
    network = Network(small_mlp(2, (3,)), nn.Linear(3, 4))
    rows = torch.tensor([2, 0])
    scores = network(drawn.x[rows]).detach().double().numpy()
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    terms = task.objective(network, Step(Problem(unlabelled=drawn[rows]), 0.0))
    np.testing.assert_allclose(terms["exemplar"].item(), -np.log(p[[0, 1], [2, 0]]).mean(), rtol=1e-4)


def test_what_tells_samples_tells_the_letters(gain):
    more, _ = gain(Exemplar(epochs=0, least_steps=120, batch_size=64, flip=False, crop=0.6, classes=100))
    assert more > 0.05
