"""The benchmark of digits as a whole, on a few generated pictures and two steps."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import regraft

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "digits.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two classes, bars that lie and bars that stand, as `mnist` and as `usps`."""
    within, luck = tmp_path_factory.mktemp("sets"), np.random.default_rng(0)
    for name, side in (("mnist", 28), ("usps", 16)):
        saved = {}
        for part, n in (("train", 80), ("test", 20)):
            x, y = luck.integers(60, size=(n, side, side), dtype=np.uint8), np.arange(n) % 2
            place = luck.integers(2, side - 2, size=n)
            for i in range(n):
                (x[i] if y[i] else x[i].T)[place[i]] = 255
            saved |= {f"x_{part}": x, f"y_{part}": y.astype(np.uint8)}
        (within / name).mkdir()
        np.savez(within / name / f"{name}.npz", **saved)
    return within


@pytest.mark.slow
def test_what_was_run_is_kept_and_the_figures_come_last(folder, tmp_path):
    results = tmp_path / "digits.jsonl"
    kept = {"pair": "mnist-usps", "steps": 2, "seed": 0, "column": "DANN", "seconds": 1.0, "accuracy": 0.25}
    results.write_text(json.dumps(kept) + "\n")
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(regraft.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
    }
    options = [
        "--from",
        folder,
        "--results",
        results,
        "--pairs",
        "mnist-usps",
        "--seeds",
        "0",
        "--steps",
        "2",
    ]
    command = [sys.executable, SCRIPT, *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, *runs = [json.loads(line) for line in results.read_text().splitlines()]
    assert first == kept
    rows = {run["column"]: run for run in (first, *runs)}
    assert len(runs) == 5
    assert len(rows) == 6
    assert set(rows["choice"]["scores"]) == {"SourceOnly", "SourceTuned", "DANN", "AdaMatch"}
    assert done.stdout.splitlines()[-4:] == [
        "dann: nan",
        "chosen: nan",
        f"mnist_usps: {rows[rows['choice']['chosen']]['accuracy']:.4f}",
        "usps_mnist: nan",
    ]
