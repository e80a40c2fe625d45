"""One thread, one seed, a problem that borrowing solves, little pictures, the command line, and real data."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import module_backbone
from regraft.cli import cli
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.output import Mask
from regraft.preprocessing.images import ImagePreprocessing
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
    return Domain(x, ["inner" if c == 0 else "outer" for c in y.tolist()], origin=torch.arange(n) // 2 % 2)


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
def away() -> Problem:
    """The same rings where they are labelled, and where they are wider and elsewhere."""
    target = rings(60, seed=2)
    moved = target.with_(x=1.3 * target.x + 0.2)
    few = moved[:8]
    return Problem(source=rings(60, seed=1), target=moved[8:].unlabelled(), target_labelled=few)


@pytest.fixture
def problem() -> Problem:
    """Thirty labelled points of two rings."""
    return Problem(target_labelled=rings(30, seed=1))


def pictures_of_discs(n: int, seed: int) -> Domain:
    """Grey pictures with masks: inside of a disc brightness alternates from row to row, outside at random."""
    luck = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 256, (n, 16, 16), generator=luck, dtype=torch.uint8)
    stripes = (255 * (torch.arange(16) % 2)).to(torch.uint8)[:, None]
    middle = torch.randint(5, 11, (n, 2, 1, 1), generator=luck)
    down, across = torch.arange(16)[:, None] - middle[:, 0], torch.arange(16) - middle[:, 1]
    inside = down.square() + across.square() < 16
    return Domain(torch.where(inside, stripes, x), (~inside).to(torch.uint8), Mask(("inner", "outer")))


@pytest.fixture
def discs():
    """discs(n, seed) -> pictures with masks that no single pixel tells."""
    return pictures_of_discs


@pytest.fixture
def pictures_network() -> Backbone:
    """A network for small grey pictures, of which the first stage has seen rows that alternate."""
    torch.manual_seed(3)
    rows = nn.Conv2d(1, 6, 3, padding=1)
    with torch.no_grad():
        rows.weight[0, 0] = torch.tensor([[1.0], [-2.0], [1.0]]).expand(3, 3)
        rows.weight[1, 0] = -rows.weight[0, 0]
    norm = nn.BatchNorm2d(6)
    norm.running_mean.normal_()
    look = ImagePreprocessing((16, 16), "squash", 1.0, mean=(0.5,), std=(0.25,), colour="grey")
    module = nn.Sequential(
        nn.Sequential(rows, norm, nn.ReLU()),
        nn.Sequential(nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.ReLU()),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )
    return module_backbone(module, preprocessing=look, name="rows")


@pytest.fixture
def fresh() -> Domain:
    """Many points of the same rings, to score on."""
    return rings(500, seed=2)


def taken(folder, seed):
    """Twelve pictures of two classes that differ by brightness."""
    rng = np.random.default_rng(seed)
    for name, level in (("day", 200), ("night", 40)):
        (folder / name).mkdir(parents=True)
        for i in range(6):
            pixels = rng.normal(level, 20, (24, 32, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture
def photos(tmp_path):
    return taken(tmp_path / "photos", seed=0)


@pytest.fixture
def others(tmp_path):
    """Pictures of the same classes that are not among the photos."""
    return taken(tmp_path / "others", seed=1)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """run("plan", folder, ...) -> the result; an InputError is raised as itself."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        result = CliRunner().invoke(cli, [str(word) for word in words])
        if isinstance(result.exception, InputError):
            raise result.exception
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


class Killer:
    """Progress that ends the run at a step of its training."""

    class Killed(Exception):
        """What ends a run before its time."""

    def __init__(self, at):
        self.left = at

    def track(self, name, total):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        return None

    def say(self, line): ...

    def advance(self, steps=1):
        self.left -= steps
        if self.left < 0:
            raise self.Killed


@pytest.fixture
def killer():
    return Killer


@pytest.fixture(scope="session")
def crowd():
    """Vectors whose columns tell of one another, and of a label."""
    luck = torch.Generator().manual_seed(1)
    y = torch.arange(120) % 2
    hidden = torch.randn(120, 2, generator=luck) + 2.0 * y[:, None]
    x = torch.tanh(hidden @ torch.randn(2, 8, generator=luck)) + 0.1 * torch.randn(120, 8, generator=luck)
    return Domain(x, ["a" if c else "b" for c in y.tolist()])
