"""What changes slowly."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.pretexts.prediction.slow_features import SlowFeatures
from regraft.problem import Problem
from regraft.trained import Network
from regraft.training import Step, Training


def test_the_terms_are_those_of_the_docstring():
    x = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    task, linear = SlowFeatures(slow=2.0, vary=3.0, differ=5.0), nn.Linear(3, 2)
    network = Network(Backbone([("as it is", nn.Flatten())], name="toy"), linear)
    pairs = task.drawn_from(Domain(x), Training())
    terms = task.objective(network, Step(Problem(unlabelled=pairs), 0.0))
    z = linear(x).detach().double().numpy()
    both = np.concatenate([z[:-1], z[1:]])
    covariance = np.cov(both, rowvar=False)
    spread = np.maximum(0, 1 - np.sqrt(np.diag(covariance) + 1e-4)).mean()
    wanted = [2 * np.mean((z[1:] - z[:-1]) ** 2), 3 * spread, 5 * covariance[0, 1] ** 2]
    np.testing.assert_allclose([term.item() for term in terms.values()], wanted, rtol=1e-4)


def test_of_linear_maps_it_finds_the_slowest():
    t = torch.linspace(0, 6 * math.pi, 300)
    hidden = torch.stack([t.sin(), (7 * t).sin(), (11 * t).cos()], 1)
    x = hidden @ torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2))).Q
    backbone = Backbone([("linear", nn.Linear(3, 1))], name="toy", pretrained=False)
    task = SlowFeatures(epochs=0, least_steps=400, batch_size=299, out=1, rate=3e-2)
    z = task.pretrain(Domain(x), backbone).backbone.features(x)[:, 0].numpy()
    centred = x.double().numpy() - x.double().numpy().mean(0)
    _, directions = scipy.linalg.eigh(np.cov(np.diff(centred, axis=0).T), np.cov(centred.T))
    assert abs(np.corrcoef(z, centred @ directions[:, 0])[0, 1]) > 0.98


def test_without_neighbours_it_is_refused():
    with pytest.raises(InputError, match="follows another"):
        SlowFeatures().drawn_from(Domain(torch.zeros(3, 2), group=[1, 2, 3]), Training())


def test_what_lasts_tells_the_letters(gain, pool):
    films = Domain(pool.x, group=(torch.arange(len(pool)) % 4).tolist())  # a letter that moves, in each
    more, _ = gain(SlowFeatures(epochs=0, least_steps=100, batch_size=64), pool=films)
    assert more > 0.1
