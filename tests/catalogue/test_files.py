"""Disks, names, interruptions and machines: what is kept, and what is the same whatever happens."""

import csv
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import regraft
from regraft.model_folder import load
from regraft.readers import read_images

TESTS = Path(__file__).resolve().parents[1]
# number, what happens, what Regraft does, and the tests that hold it
ROWS = [
    (
        "F1",
        "SIGKILL in extraction, training or saving",
        "the next run comes to the same bits",
        "test_crashes.py::test_two_hundred_kills",
    ),
    (
        "F2",
        "disk full while features are kept",
        "a note; the run goes on without keeping them",
        "catalogue/test_files.py::test_f2_a_full_disk",
    ),
    (
        "F2",
        "disk full at a checkpoint",
        "a note; the run goes on, the last checkpoint stays",
        "test_training.py::test_a_full_disk_costs_the_checkpoint_and_not_the_run",
    ),
    (
        "F2",
        "disk full while a model is saved",
        "one line, code 2; the model that was there stays",
        "catalogue/test_files.py::test_f2_a_full_disk",
    ),
    (
        "F2",
        "disk full while predictions are written",
        "one line, code 2; no file",
        "catalogue/test_files.py::test_f2_a_full_disk_for_predictions",
    ),
    ("F2", "standard output full", "one line, code 2", "catalogue/test_files.py::test_f2_a_full_output"),
    (
        "F3",
        "torn, empty or bit-flipped checkpoint",
        "noticed by its checksum and said; training starts over, to the same bits",
        "test_training.py::test_a_damaged_checkpoint_starts_over_and_says_so",
    ),
    (
        "F3",
        "torn, empty or bit-flipped features",
        "noticed by their checksum; computed again",
        "test_features.py::test_a_damaged_file_is_computed_again",
    ),
    (
        "F3",
        "torn or bit-flipped model",
        "one line, code 2",
        "test_model.py::test_damaged_and_hostile_folders_get_one_line",
    ),
    (
        "F4",
        "a place that cannot be written",
        "one line before any work, code 2",
        "test_model.py::test_where_no_model_can_be_written_is_said_before_the_work",
    ),
    (
        "F4",
        "spaces, other alphabets and emoji in paths",
        "paths like any other",
        "catalogue/test_files.py::test_f4_names_of_any_kind",
    ),
    (
        "F4",
        "a name of more than 255 bytes",
        "one line, code 2",
        "catalogue/test_files.py::test_f4_names_that_are_too_long",
    ),
    (
        "F5",
        "two runs with one cache and one output",
        "both end well; the model is whole",
        "catalogue/test_files.py::test_f5_two_runs_at_once",
    ),
    (
        "F6",
        "Ctrl-C and SIGTERM",
        "ends within two seconds with code 130; the same command goes on",
        "cli/test_main.py::test_an_interruption_ends_soon_and_says_what_is_kept",
    ),
    (
        "F7",
        "a picture that would fill the memory",
        "left out by what its header promises; the rest goes on",
        "attacks/test_images.py::test_is_left_out_with_its_reason",
    ),
    (
        "D1",
        "other thread counts, hash seeds and orders on disk",
        "the same bytes",
        "catalogue/test_files.py::test_d1_the_same_bytes",
    ),
    (
        "D2",
        "batches of 1 and of 256",
        "probabilities within 10⁻⁶",
        "catalogue/test_files.py::test_d2_batches_of_any_size",
    ),
]


def test_the_page_says_so(page):
    page("Files", [row[:3] for row in ROWS])


@pytest.mark.parametrize("held", sorted({row[3] for row in ROWS}))
def test_each_row_is_held_by_a_test(held):
    file, _, name = held.partition("::")
    assert f"\ndef {name}(" in (TESTS / file).read_text(encoding="utf-8")


def regraft_run(folder, *words, cache="cache", before=None, **environment) -> subprocess.CompletedProcess:
    """The program in a process of its own, in this folder."""
    set_to = {
        **os.environ,
        "PYTHONPATH": str(Path(regraft.__file__).parents[1]),
        "REGRAFT_CACHE": str(folder / cache),
        "OMP_NUM_THREADS": "1",
        **environment,
    }
    command = [sys.executable, "-m", "regraft", *map(str, words)]
    return subprocess.run(
        command, cwd=folder, env=set_to, preexec_fn=before, capture_output=True, text=True, check=False
    )


def no_larger(size: int):
    """What a process does to have no room for files of more than `size` bytes: writing fails half-way."""
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


FIT = ("fit", "photos", "--backbone", "glyphs", "--methods", "NearestMean")


@pytest.fixture
def fitted(photos, tmp_path):
    """A model of the photos, made without the command line."""
    from regraft.backbones import glyphs
    from regraft.methods import METHODS
    from regraft.problem import Problem

    model = METHODS["NearestMean"]().fit(Problem(target_labelled=read_images(photos)), glyphs())
    return model.save(tmp_path / "photos-model")


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on files")
def test_f2_a_full_disk(fitted, tmp_path):
    before = {path.name: path.read_bytes() for path in fitted.iterdir()}
    done = regraft_run(tmp_path, *FIT, before=no_larger(4096))
    note, error = done.stderr.splitlines()
    assert done.returncode == 2
    assert note.startswith("note: features cannot be kept in ")
    assert "File too large" in note
    assert error == "regraft: photos-model cannot be written (File too large): name another folder"
    assert {path.name: path.read_bytes() for path in fitted.iterdir()} == before
    load(fitted)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "photos", "photos-model"]
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.suffix == ".partial"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on files")
def test_f2_a_full_disk_for_predictions(fitted, tmp_path):
    done = regraft_run(tmp_path, "predict", fitted, "photos", "--out", "p.csv", before=no_larger(100))
    assert done.returncode == 2
    assert (
        done.stderr.splitlines()[-1] == "regraft: p.csv cannot be written (File too large): name another file"
    )
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("p.csv")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_f2_a_full_output(fitted, tmp_path):
    program = f"{sys.executable} -m regraft predict {fitted} photos > /dev/full"
    environment = {**os.environ, "PYTHONPATH": str(Path(regraft.__file__).parents[1])}
    done = subprocess.run(
        program, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "regraft: the output: No space left on device: give another place\n"


def test_f4_names_of_any_kind(photos, run, tmp_path):
    strange = tmp_path / "Größe, 猫 and 🦉 photos"
    photos.rename(strange)
    (strange / "day").rename(strange / "-Täg 1")
    result = run("fit", strange, "--backbone", "pixels", "--methods", "NearestMean")
    assert "Handed over" in result.output
    rows = list(csv.DictReader(io.StringIO(run("predict", f"{strange}-model", strange).stdout)))
    assert [row["file"] for row in rows[:2]] == ["./-Täg 1/0.png", "./-Täg 1/1.png"]
    assert all((strange / row["file"]).is_file() for row in rows)


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "?"),
        ("fit", "photos", "--out", "?"),
        ("fit", "photos", "--labels", "?"),
        ("predict", "?", "photos"),
    ],
)
def test_f4_names_that_are_too_long(photos, tmp_path, monkeypatch, capfd, words):
    from regraft import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["regraft", *("x" * 300 if word == "?" else word for word in words)])
    monkeypatch.setattr(os, "_exit", sys.exit)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    told = capfd.readouterr().err
    assert "name too long" in told.lower() or "is no model folder" in told
    assert told.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.slow
def test_f5_two_runs_at_once(photos, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda _: regraft_run(tmp_path, *FIT), range(2)))
    assert [(done.returncode, done.stderr) for done in ended] == [(0, "")] * 2
    assert load(tmp_path / "photos-model").predict([photos / "day" / "0.png"]) == ["day"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "photos", "photos-model"]


def test_d1_the_same_bytes(photos, tmp_path):
    """Each run computes everything: none reads what another kept."""
    runs = {
        "one": {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
        "two": {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "1"},
    }
    made = {}
    for name, environment in runs.items():
        # written anew, last file first: the order in which a disk lists its files changes, no name does
        for path in sorted(photos.rglob("*.png"), reverse=name == "two"):
            shutil.copy(path, path.with_name("copy"))
            path.with_name("copy").replace(path)
        done = regraft_run(
            tmp_path,
            *FIT[:4],
            "--methods",
            "LinearProbe",
            "--out",
            name,
            cache=f"cache-{name}",
            **environment,
        )
        assert (done.returncode, done.stderr) == (0, "")
        study = done.stdout.partition("Verdict")[2].replace(f" {name}", "")
        made[name] = [(tmp_path / name / file).read_bytes() for file in ("weights.safetensors", "model.json")]
        made[name].append(study)
    assert made["one"] == made["two"]


def test_d2_batches_of_any_size(photos, fitted):
    model = load(fitted)
    files = read_images(photos).x
    rows = torch.arange(256) % len(files)
    at_once = model.probabilities(files[rows])
    each = torch.cat([model.probabilities(files[row]) for row in torch.arange(len(files))[:, None]])
    torch.testing.assert_close(at_once, each[rows], rtol=0, atol=1e-6)
