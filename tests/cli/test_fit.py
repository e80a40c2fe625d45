import csv
import io
import json
import shutil

import pytest
from PIL import Image

from regraft.errors import InputError

CHEAP = ("--backbone", "glyphs")


def test_the_main_job(photos, others, run, tmp_path):
    told = run("fit", photos, *CHEAP, "--test", others).output
    for expected in (
        "Plan",
        "LinearProbe (glyphs)",
        "Judge: 5-fold",
        "Verdict:",
        "Handed over",
        "Test set (12",
    ):
        assert expected in told
    study = json.loads((tmp_path / "photos-model" / "study.json").read_text())
    assert study["test"]["accuracy"]["value"] == 1.0

    rows = list(csv.DictReader(io.StringIO(run("predict", "photos-model", photos).stdout)))
    assert {tuple(row) for row in rows} == {("file", "label", "probability", "accepted", "novelty")}
    assert {row["file"]: row["label"] for row in rows} == {
        f"{name}/{i}.png": name for name in ("day", "night") for i in range(6)
    }
    told = run("evaluate", "photos-model", photos).output
    assert "balanced accuracy" in told
    assert "night" in told


def test_probabilities_of_every_class(photos, run, tmp_path):
    run("fit", photos, *CHEAP)
    run("predict", "photos-model", photos, "--probabilities", "--out", "p.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "p.csv").read_text())))
    assert list(rows[0]) == ["file", "label", "probability", "accepted", "novelty", "day", "night"]
    assert float(rows[0]["day"]) + float(rows[0]["night"]) == pytest.approx(1, abs=1e-5)


def test_a_broken_file_is_named_and_the_rest_goes_on(photos, run, tmp_path):
    (photos / "day" / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 torn")
    run("fit", photos, *CHEAP)
    study = json.loads((tmp_path / "photos-model" / "study.json").read_text())
    assert [u["sample"] for u in study["unreadable"]] == ["day/torn.jpg"]
    result = run("predict", "photos-model", photos, "--out", "p.csv")
    assert result.exit_code == 1
    assert "torn.jpg" in result.output
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 13


def test_unlabelled_folders_are_not_looked_at_for_labels(photos, run, tmp_path):
    """Exchanging the class folders of a pool that is declared unlabelled changes no bit of the model."""
    pool = tmp_path / "pool"
    weights = []
    for order in (("day", "night"), ("night", "day")):
        shutil.rmtree(pool, ignore_errors=True)
        for name, to in zip(("day", "night"), order, strict=True):
            shutil.copytree(photos / name, pool / to)
        run("fit", photos, *CHEAP, "--unlabelled", pool, "--out", "m")
        weights.append((tmp_path / "m" / "weights.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_test_samples_that_are_labelled_too_are_left_out(photos, others, run):
    shutil.copy(photos / "day" / "0.png", others / "day" / "copy.png")
    told = run("fit", photos, *CHEAP, "--test", others).output
    assert "left out of the test: 1 of 13 samples" in told
    assert "Test set (12" in told
    with pytest.raises(InputError, match="every test sample is among the labelled ones"):
        run("fit", photos, *CHEAP, "--test", photos)


def test_the_labels_of_the_test_set_change_no_bit_of_the_model(photos, others, run, tmp_path):
    weights = []
    for order in (("day", "night"), ("night", "day")):
        test = tmp_path / "test"
        shutil.rmtree(test, ignore_errors=True)
        for name, to in zip(("day", "night"), order, strict=True):
            shutil.copytree(others / name, test / to)
        run("fit", photos, *CHEAP, "--test", test, "--out", "m")
        weights.append((tmp_path / "m" / "weights.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_a_flat_folder_with_a_label_file(photos, run, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    lines = ["file,label,roll"]
    for picture in sorted(photos.rglob("*.png")):
        name = f"{picture.parent.name}-{picture.name}"
        shutil.copy(picture, flat / name)
        lines.append(f"{name},{picture.parent.name},{int(picture.stem) // 2}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    told = run("fit", flat, *CHEAP, "--labels", tmp_path / "labels.csv", "--group", "roll").output
    assert "by group" in told


def test_a_table(run, tmp_path):
    rows = [f"{i},{'red' if i % 3 else 'blue'},{'low' if i < 30 else 'high'}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["size,colour,label", *rows]))
    told = run("fit", "t.csv").output
    assert "Nothing was borrowed" in told
    rows = list(csv.DictReader(io.StringIO(run("predict", "t-model", "t.csv").stdout)))
    right = [row["label"] == ("low" if i < 30 else "high") for i, row in enumerate(rows)]
    assert sum(right) > 55


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("fit", "nowhere"), "nowhere"),
        (("fit", "photos", "--backbone", "resnet5"), "resnet5"),
        (("fit", "photos", "--methods", "LinearProb"), "did you mean LinearProbe"),
        (("fit", "photos", "--metric", "accurracy"), "did you mean accuracy"),
        (("fit", "photos", "--budget", "soon"), "'soon' is no time"),
        (("fit", "photos", "--device", "gpu7"), "device 'gpu7'"),
        (("fit", "photos", "--weights", "nothing.safetensors"), "nothing.safetensors"),
        (("fit", "photos", "--labels", "none.csv"), "none.csv"),
        (("fit", "photos", "--group", "("), "("),
        (("fit", "empty"), "no images"),
        (("fit", "one"), "only one class"),
        (("fit", "photos/day"), "label"),
        (("fit", "photos", "--out", "photos"), "is no Regraft model"),
        (("fit", "t.csv"), "label"),
        (("fit", "t.csv", "--label", "coluor"), "did you mean colour"),
        (("fit", "cases"), "'Day' and 'day'"),
        (("fit", "photos", *CHEAP, "--test", "other"), "emu"),
        (("predict", "photos", "photos"), "no model folder"),
    ],
)
def test_bad_input_gets_one_line_and_leaves_nothing(photos, run, tmp_path, words, told):
    if "resnet5" in words:
        pytest.importorskip("timm")
    (tmp_path / "empty").mkdir()
    for folder in ("one/day", "cases/day", "cases/Day", "other/emu", "other/day"):
        (tmp_path / folder).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / folder / "a.png")
    (tmp_path / "t.csv").write_text("size,colour\n1,red\n2,blue\n")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as caught:
        run(*words)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_spellings_are_merged_or_kept_when_told(photos, run, tmp_path):
    (photos / "Day").mkdir()
    for i in range(3):
        shutil.copy(photos / "day" / f"{i}.png", photos / "Day" / f"{i}.png")
    assert "2 classes" in run("plan", photos, *CHEAP, "--merge-labels").output
    assert "3 classes" in run("plan", photos, *CHEAP, "--keep-labels").output


def test_the_page_goes_where_it_is_told(photos, others, run, tmp_path):
    told = run("fit", photos, *CHEAP, "--test", others, "--report", "pages/photos.html").output
    assert "The page is pages/photos.html" in told
    text = (tmp_path / "pages" / "photos.html").read_text(encoding="utf-8")
    assert "12 samples, read" in text
    assert "--report pages/photos.html" in text
    assert not (tmp_path / "photos-model" / "report.html").exists()
    assert "photos-model/report.html" in run("fit", photos, *CHEAP, "--report").output
    assert "data:image/" in (tmp_path / "photos-model" / "report.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_stops_fit_before_it_begins(photos, run, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="report cannot be written to photos"):
        run("fit", "nowhere", "--report", "photos")
    assert sorted(tmp_path.rglob("*")) == before


def test_thin_is_asked_of_the_study(photos, run, monkeypatch):
    from regraft.selection import Study

    asked = []
    save = Study.save
    monkeypatch.setattr(Study, "save", lambda self, *to, **how: asked.append(how) or save(self, *to, **how))
    run("fit", photos, *CHEAP, "--thin")
    run("fit", photos, *CHEAP)
    assert [how["thin"] for how in asked] == [True, False]
