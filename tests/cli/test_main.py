"""The program as a process: its exit codes, its speed to help, and what an interruption does."""

import os
import signal
import subprocess
import sys
import time

import click
import pytest

from regraft.cli import cli

ENTRY = [sys.executable, "-m", "regraft"]


def test_help_does_not_import_torch():
    code = "import sys; sys.argv = ['regraft', '--help']\nfrom regraft.cli import cli\n"
    code += "cli.main(standalone_mode=False)\nassert not {'torch', 'numpy', 'sklearn'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in ("demo", "fit", "predict", "evaluate", "doctor", "export", "plan", "methods"):
        assert command in done.stdout


def test_bad_input_exits_with_two_and_one_line(tmp_path):
    done = subprocess.run(
        [*ENTRY, "fit", "nowhere"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("regraft: ")
    assert "Traceback" not in done.stderr


def test_unknown_options_exit_with_two():
    with pytest.raises(click.UsageError, match="--nonsense") as ended:
        cli.main(["fit", "--nonsense"], standalone_mode=False)
    assert ended.value.exit_code == 2


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interruption_ends_soon_and_says_what_is_kept(photos, tmp_path, number):
    slow = ["fit", str(photos), "--backbone", "glyphs", "--methods", "FineTune", "--budget", "9h"]
    env = {**os.environ, "REGRAFT_CACHE": str(tmp_path / "cache")}
    with subprocess.Popen([*ENTRY, *slow], cwd=tmp_path, env=env, stdout=-1, stderr=-1, text=True) as process:
        while "FineTune" not in process.stdout.readline():
            assert process.poll() is None
        time.sleep(1)
        start = time.monotonic()
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
        assert time.monotonic() - start < 2
    assert process.returncode == 130
    assert "the same command goes on from there" in told
    assert "Traceback" not in told
    assert not (tmp_path / "photos-model").exists()
