"""A backbone from the command line."""

import json

import pytest

from regraft.backbones import open_backbone
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
