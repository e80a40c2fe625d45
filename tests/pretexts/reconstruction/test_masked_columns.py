"""Columns that are another row's."""

import numpy as np
import pytest
import torch

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.pretexts.reconstruction.masked_columns import MaskedColumns
from regraft.pretexts.views import corrupted
from regraft.problem import Problem
from regraft.training import Step


def test_the_terms_are_those_of_the_paper():
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    task = MaskedColumns(hidden=0.4, values=3.0)
    network = task.start(small_mlp(4, (5,)), x)
    torch.manual_seed(2)
    terms = task.objective(network, Step(Problem(unlabelled=Domain(x)), 0.0))
    torch.manual_seed(2)
    seen = corrupted(x, 0.4)
    foreign, own = (t.detach().double().numpy() for t in network.head(network.features(seen)))
    p, m = 1 / (1 + np.exp(-foreign)), (seen != x).double().numpy()
    assert 0 < m.mean() < 1
    assert terms["which"].item() == pytest.approx(-(m * np.log(p) + (1 - m) * np.log(1 - p)).mean(), rel=1e-5)
    aim = x.double().numpy()
    aim = (aim - aim.mean(0)) / aim.std(0)
    assert terms["values"].item() == pytest.approx(3 * ((aim - own) ** 2).mean(), rel=1e-5)


def test_columns_that_tell_of_one_another_are_learned(gain, factors):
    pool, labelled = factors
    task = MaskedColumns(epochs=0, least_steps=150, batch_size=64, rate=5e-3)
    more, _ = gain(task, small_mlp(pool.x.shape[1], (32, 8)), labelled, pool)
    assert more > 0.05
