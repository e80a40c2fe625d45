"""One thread, one seed, a problem that borrowing solves, and where real data lie when they are there."""

from pathlib import Path

import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.domain import Domain
from regraft.problem import Problem

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("REGRAFT_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout; tests that need it skip without it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data are not beside this checkout")
    return folder


def rings(n: int, seed: int) -> Domain:
    """Two classes that only the radius of the first two of 20 columns tells apart: no linear rule does."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    angle = 2 * torch.pi * torch.rand(n, generator=generator)
    radius = 1.0 + y + 0.1 * torch.randn(n, generator=generator)
    x = 0.5 * torch.randn(n, 20, generator=generator)
    x[:, 0], x[:, 1] = radius * angle.cos(), radius * angle.sin()
    return Domain(x, ["inner" if c == 0 else "outer" for c in y.tolist()])


class Squares(nn.Module):
    """What pretraining on rings would have found: the squares of the first two columns, and some noise."""

    def forward(self, x):
        return torch.cat([x[:, :2].pow(2), 0.1 * x[:, 2:6]], 1)


def ring_network() -> Backbone:
    """A feature map that makes the rings linear, with a BatchNorm and weights that could be trained."""
    torch.manual_seed(7)
    mixing = nn.Linear(6, 8)
    norm = nn.BatchNorm1d(8)
    norm.running_mean.normal_()
    return Backbone(
        [("squares", Squares()), ("mixing", nn.Sequential(mixing, norm)), ("top", nn.Linear(8, 8))],
        name="rings",
    )


@pytest.fixture
def network() -> Backbone:
    return ring_network()


@pytest.fixture
def problem() -> Problem:
    """Thirty labelled points of two rings."""
    return Problem(target_labelled=rings(30, seed=1))


@pytest.fixture
def fresh() -> Domain:
    """Many points of the same rings, to score on."""
    return rings(500, seed=2)
