"""A folder of little pictures, and the command line as a user calls it."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from regraft.cli import cli
from regraft.errors import InputError


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
