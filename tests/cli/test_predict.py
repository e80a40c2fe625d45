"""Predictions and scores from the command line."""

import csv
import io
import shutil

import pytest

from regraft.cli import predict
from regraft.cli.places import cache_folder
from regraft.engine import Engine
from regraft.errors import InputError
from regraft.methods import METHODS
from regraft.model_folder import load
from regraft.problem import Problem
from regraft.readers import read_images, read_table


@pytest.fixture
def model(photos, tmp_path):
    """A model of the photos, fitted without the command line."""
    from regraft.backbones import pixels

    fitted = METHODS["LinearProbe"]().fit(Problem(target_labelled=read_images(photos)), pixels())
    return fitted.save(tmp_path / "m")


@pytest.fixture
def of_rows(tmp_path):
    """A model of a table in which the column "class" is a feature."""
    from regraft.backbones import table

    path = tmp_path / "t.csv"
    path.write_text("size,class,label\n" + "".join(f"{i},{'xy'[i % 2]},{'uv'[i > 4]}\n" for i in range(10)))
    return (
        METHODS["NearestMean"]().fit(Problem(target_labelled=read_table(path)), table()).save(tmp_path / "m")
    )


def read(told):
    return list(csv.DictReader(io.StringIO(told)))


def test_features_are_computed_once(model, photos, run, monkeypatch):
    once = run("predict", model, photos).stdout
    assert {row["file"]: row["label"] for row in read(once)} == {
        f"{name}/{i}.png": name for name in ("day", "night") for i in range(6)
    }
    assert list((cache_folder() / "features").rglob("*.safetensors"))
    scores = run("evaluate", model, photos).output
    assert "note: the model was fitted to these very samples: new ones are harder" in scores

    def busy(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr(Engine, "run", busy)
    assert run("predict", model, photos).stdout == once
    again = run("evaluate", model, photos).output
    assert again.splitlines()[2:] == scores.splitlines()[2:]
    assert ["first time" in scores, "read 2 times" in again] == [True, True]
    assert "balanced accuracy" in scores


def test_a_cache_that_cannot_be_written_stops_nothing(model, photos, run, tmp_path, monkeypatch):
    (tmp_path / "afile").write_text("")
    monkeypatch.setenv("REGRAFT_CACHE", str(tmp_path / "afile"))
    with pytest.warns(UserWarning, match="features cannot be kept"):
        assert len(read(run("predict", model, photos).stdout)) == 12


def test_tables_are_read_by_the_columns_of_the_fit(of_rows, run, tmp_path):
    whole = run("predict", of_rows, tmp_path / "t.csv").stdout
    (tmp_path / "bare.csv").write_text("class,size\n" + "".join(f"{'xy'[i % 2]},{i}\n" for i in range(10)))
    assert run("predict", of_rows, tmp_path / "bare.csv").stdout == whole
    assert "accuracy" in run("evaluate", of_rows, tmp_path / "t.csv").output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("size,class\n", "a header and no rows"),
        ("size\n1\n", "lacks 1 columns .* 'class'"),
        ("size,class\n1,x\n\nbig,x\n", "'size' .* row 4 now holds 'big'"),
    ],
)
def test_tables_that_do_not_fit_get_one_line(of_rows, run, tmp_path, text, told):
    (tmp_path / "new.csv").write_text(text)
    with pytest.raises(InputError, match=told):
        run("predict", of_rows, tmp_path / "new.csv")


@pytest.mark.parametrize("out", ["afile/x", "afile/x/y", "folder"])
def test_an_output_that_cannot_be_written_gets_one_line(model, photos, run, tmp_path, out):
    (tmp_path / "afile").write_text("precious")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        run("predict", model, photos, "--out", out)
    assert (tmp_path / "afile").read_text() == "precious"


def test_an_empty_folder_gets_one_line(model, run, tmp_path):
    (tmp_path / "empty").mkdir()
    for command in ("predict", "evaluate"):
        with pytest.raises(InputError, match="holds no images"):
            run(command, model, tmp_path / "empty")


def test_names_do_not_steer_a_terminal(model, photos, run, monkeypatch):
    shutil.copy(photos / "day" / "0.png", photos / "a\x1b[31m.png")
    assert "\x1b" in run("predict", model, photos).stdout

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(predict.sys, "stdout", terminal)
    predict.command.callback(model, photos, False, None, None, None, None, "cpu")
    assert "a?[31m.png" in terminal.getvalue()
    assert "\x1b" not in terminal.getvalue()


def test_what_cannot_be_read_is_said_without_steering_a_terminal(model, photos, run):
    (photos / "x\x1b[31m.png").write_bytes(b"no image")
    result = run("predict", model, photos)
    assert result.exit_code == 1
    assert "not used: x?[31m.png: text, not an image" in result.stderr
    assert load(model).predict([photos / "day" / "0.png"]) == ["day"]


def test_a_thin_model_takes_the_network_that_was_borrowed(photos, run, tmp_path):
    from regraft.backbones import glyphs

    phi = glyphs()
    phi.place = None  # it was opened from nowhere that could be told
    fitted = METHODS["LinearProbe"]().fit(Problem(target_labelled=read_images(photos)), phi)
    fitted.save(tmp_path / "thin", on=phi)
    fitted.save(tmp_path / "whole")
    whole = run("predict", "whole", photos).stdout
    with pytest.raises(InputError, match="hand it in by --backbone"):
        run("predict", "thin", photos)
    assert run("predict", "thin", photos, "--backbone", "glyphs").stdout == whole
    assert "balanced accuracy" in run("evaluate", "thin", photos, "--backbone", "glyphs").output
    with pytest.raises(InputError, match="the network handed in is another"):
        run("predict", "thin", photos, "--backbone", "pixels")
