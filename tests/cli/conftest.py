"""A folder of little pictures, and the command line as a user calls it."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from regraft.cli import cli
from regraft.errors import InputError


@pytest.fixture
def photos(tmp_path):
    """Twelve pictures of two classes that differ by brightness."""
    rng = np.random.default_rng(0)
    for name, level in (("day", 200), ("night", 40)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(6):
            pixels = rng.normal(level, 20, (24, 32, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i}.png")
    return tmp_path / "photos"


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
