"""A backbone from the command line."""

import json

import pytest
from PIL import Image

from regraft.backbones import open_backbone
from regraft.cli.pools import read_frames
from regraft.errors import InputError


def test_from_a_pool_to_a_backbone_that_fit_takes(run, photos, others, tmp_path):
    told = run(
        "pretrain", photos, "--task", "rotation", "--labelled", others, "--budget", "0.3s", "--out", "mine"
    ).output
    assert "Rotation: " in told
    assert "step 0: rank " in told
    assert "accuracy" in told
    assert "LinearProbe, random weights (small convnet)" in told
    assert "Verdict: LinearProbe, after Rotation (small convnet) against " in told
    assert "Next: regraft fit FOLDER --backbone mine" in told
    assert not (tmp_path / "cache" / "runs").exists()
    study = json.loads((tmp_path / "mine" / "study.json").read_text())
    assert study["choice"]["verdict"]["metric"] == "accuracy"
    assert study["watched"][0]["step"] == 0
    assert "Rotation on 12 samples without labels" in (tmp_path / "mine" / "README.md").read_text()
    network = open_backbone(tmp_path / "mine")
    assert network.pretrained
    assert "small convnet was fitted before: Rotation on" in run("plan", others, "--backbone", "mine").output


def test_what_is_asked_wrongly_is_one_line(run, photos, tmp_path):
    with pytest.raises(InputError, match="auto chooses by few labels"):
        run("pretrain", photos)
    with pytest.raises(InputError, match="task 'rotate' is unknown; did you mean rotation"):
        run("pretrain", photos, "--task", "rotate")
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n3,4\n" * 10)
    with pytest.raises(InputError, match="Rotation is made of pixels"):
        run("pretrain", tmp_path / "t.csv", "--task", "rotation")
    (tmp_path / "pool-backbone").mkdir()
    (tmp_path / "pool-backbone" / "mine.txt").write_text("")
    photos.rename(tmp_path / "pool")
    with pytest.raises(InputError, match="is no Regraft model"):
        run("pretrain", tmp_path / "pool", "--task", "rotation")


def test_frames_are_seen_in_the_order_in_which_one_counts(tmp_path):
    for number in range(12):
        Image.new("RGB", (8, 8), (20 * number,) * 3).save(tmp_path / f"film{number % 2}-{number}.png")
    frames = read_frames(tmp_path, group="film(.)")
    assert frames.x.names() == [f"film{i % 2}-{i}.png" for i in (*range(0, 12, 2), *range(1, 12, 2))]
    assert len(frames.group.unique()) == 2


def test_groups_of_rows_are_those_of_a_film(run, tmp_path):
    rows = "".join(f"{i % 3},{i},{i % 7}\n" for i in range(60))
    (tmp_path / "t.csv").write_text(f"film,a,b\n{rows}")
    frames = read_frames(tmp_path / "t.csv", group="film")
    assert (frames.x.columns, len(frames.group.unique())) == (("a", "b"), 3)
    told = run("pretrain", "t.csv", "--task", "slowfeatures", "--group", "film", "--budget", "0.1s").output
    assert "SlowFeatures: " in told


def test_the_labels_of_a_pool_are_not_learned_from(run, tmp_path):
    def table(name, rows):
        said = "".join(f"{i % 7},{i % 5},{'xy'[i % 2]}\n" for i in range(rows))
        (tmp_path / name).write_text(f"a,b,label\n{said}")

    table("pool.csv", 60)
    table("few.csv", 20)
    found = run("pretrain", "pool.csv", "--task", "maskedcolumns", "--budget", "0.1s", "--out", "mine")
    assert "pool.csv: nothing is learned from the column 'label'" in found.stderr
    assert "Handed over: " in run("fit", "few.csv", "--backbone", "mine", "--out", "m").output
    told = run("fit", "few.csv", "--unlabelled", "pool.csv", "--out", "n")
    assert "nothing is learned from the column 'label'" in told.stderr


def test_one_film_in_a_folder_of_its_own(tmp_path):
    (tmp_path / "film").mkdir()
    for number in (2, 10, 1):
        Image.new("RGB", (8, 8)).save(tmp_path / "film" / f"{number}.png")
    assert read_frames(tmp_path, group=None).x.names() == ["film/1.png", "film/2.png", "film/10.png"]


def test_groups_of_pictures_that_have_no_order_are_none(run, photos):
    with pytest.raises(InputError, match="has neither folds nor frames: leave it out"):
        run("pretrain", photos, "--task", "rotation", "--group", "(.)")


def test_what_says_how_labels_are_read_needs_labels(run, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n3,4\n" * 10)
    with pytest.raises(InputError, match="--labels-are was given without --labelled"):
        run("pretrain", "t.csv", "--task", "vicreg", "--labels-are", "real")
