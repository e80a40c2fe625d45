"""Attack(words) -> what the command line answers, in a process whose time and memory are bounded."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import regraft

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]  # the victim reads /proc


@dataclass(frozen=True)
class Answer:
    """How a command ended, in a process of its own.

    mebibytes: its peak, less that of a process that does nothing.
    """

    code: int
    hung: bool
    seconds: float
    mebibytes: float
    out: str
    err: str

    def refuses(self, told: str, mebibytes: float = 600) -> None:
        """One clear line on standard error and exit code 2, soon and in little memory."""
        assert not self.hung
        assert (self.code, self.err.count("\n")) == (2, 1), self.err
        assert self.err.startswith("regraft: ")
        assert told in self.err
        assert self.out == ""
        assert self.mebibytes < mebibytes


@pytest.fixture(scope="session")
def victim(tmp_path_factory):
    """One process for all attacks; it forks for each."""
    home = tmp_path_factory.mktemp("victim")
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(regraft.__file__).parents[1]),  # what is tested, wherever it was imported from
        "REGRAFT_CACHE": str(home / "cache"),
        "OMP_NUM_THREADS": "1",
    }
    program = [sys.executable, str(Path(__file__).with_name("victim.py"))]
    with subprocess.Popen(program, cwd=home, env=environment, stdin=-1, stdout=-1, text=True) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def attack(victim, tmp_path) -> Callable[..., Answer]:
    """attack("predict", model, …): paths are absolute or below the test's own folder."""

    def call(*words) -> Answer:
        victim.stdin.write(json.dumps({"in": str(tmp_path), "words": [str(word) for word in words]}) + "\n")
        victim.stdin.flush()
        return Answer(**json.loads(victim.stdout.readline()))

    return call


@pytest.fixture
def canary(tmp_path) -> Path:
    """A file that appears if any code of an attack is executed."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists(), "code was executed"
