"""Killed at any moment and run again, Regraft comes to the bits of a run that was never killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import regraft

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "crashes.py"
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")


def identical(*options):
    """The last line of the benchmark, without which it prints its table for whoever looks."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(regraft.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *options], env=environment, capture_output=True, text=True, check=True
    )
    print(done.stdout)
    return done.stdout.splitlines()[-1]


def test_a_few_kills():
    assert identical("--quick") == "identical: 6"


@pytest.mark.slow
def test_two_hundred_kills():
    assert identical("--seed", "1", "--no-record") == "identical: 200"
