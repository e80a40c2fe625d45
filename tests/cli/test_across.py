"""regraft fit PATH --source FOLDER."""

import json

import numpy as np
import pytest
from PIL import Image

import regraft as rg
from regraft.errors import InputError

CLASSES = ("bars", "rows")


def strokes(kind, seed, dark=0):
    """A small picture of stripes down or across, on a noisy ground, darker or not."""
    stripes = np.broadcast_to(np.arange(32) // 4 % 2 * 160, (32, 32))
    ground = np.random.default_rng(seed).normal(60, 20, (32, 32))
    picture = (stripes if kind == "bars" else stripes.T) + ground - dark
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.fixture
def lab(tmp_path):
    """A folder with labels, one folder a class."""
    for kind in CLASSES:
        (tmp_path / "lab" / kind).mkdir(parents=True)
        for i in range(20):
            Image.fromarray(strokes(kind, i)).save(tmp_path / "lab" / kind / f"{i}.png")
    return tmp_path / "lab"


def a_field(folder, swapped=False):
    """The same kinds, darker; in sub-folders whose names say nothing that may be used."""
    for kind in CLASSES:
        named = CLASSES[1 - CLASSES.index(kind)] if swapped else kind
        (folder / named).mkdir(parents=True)
        for i in range(20):
            Image.fromarray(strokes(kind, 100 + i, dark=50)).save(folder / named / f"{kind}{i}.png")
    return folder


@pytest.fixture
def field(tmp_path):
    return a_field(tmp_path / "field")


def test_says_what_differs_what_was_tried_and_why(run, lab, field, tmp_path):
    told = run("fit", field, "--source", lab, "--backbone", "glyphs", "--out", tmp_path / "m", "--report")
    assert told.exit_code == 0, told.output
    for part in (
        "What differs",
        "agreement with clusters",
        "Verdict: ",
        "To be sure: ",
        "Next: regraft predict",
    ):
        assert part in told.output
    study = json.loads((tmp_path / "m" / "study.json").read_text())
    assert study["decision"]["sentence"] in told.output
    assert (tmp_path / "m" / "report.html").is_file()
    labels = run("predict", tmp_path / "m", field)
    assert labels.exit_code == 0
    assert "bars" in labels.output


def test_folders_of_the_target_change_no_bit(run, lab, tmp_path):
    found = []
    for swapped in (False, True):
        path, out = a_field(tmp_path / f"field{swapped}" / "f", swapped), tmp_path / f"m{swapped}"
        assert run("fit", path, "--source", lab, "--backbone", "glyphs", "--out", out).exit_code == 0
        study = json.loads((out / "study.json").read_text())
        kept = [{k: v for k, v in row.items() if k != "seconds"} for row in study["results"]]
        told = (kept, study["decision"], study["settling"]["rows"])
        found.append(((out / "weights.safetensors").read_bytes(), told))
    assert found[0] == found[1]


def test_a_few_labels_judge_and_a_test_set_tells_the_end(run, lab, field, tmp_path):
    few = a_field(tmp_path / "few")
    told = run(
        "fit",
        field,
        "--source",
        lab,
        "--target-labelled",
        few,
        "--test",
        few,
        "--backbone",
        "glyphs",
        "--methods",
        "CORAL",
        "--out",
        tmp_path / "m",
    )
    assert told.exit_code == 0, told.output
    assert "40 labelled samples of the target" in told.output
    assert "Test set (40 samples)" in told.output


def test_several_sources_are_one(run, lab, field, tmp_path):
    other = a_field(tmp_path / "other")
    told = run(
        "fit",
        field,
        "--source",
        lab,
        "--source",
        other,
        "--backbone",
        "glyphs",
        "--methods",
        "CORAL",
        "--out",
        tmp_path / "m",
        "--report",
    )
    assert told.exit_code == 0, told.output
    assert "Source: 80 image files, 2 classes" in told.output
    assert "Leaving one source out" in told.output
    study = json.loads((tmp_path / "m" / "study.json").read_text())
    assert study["unseen"]["domains"] == [str(lab), str(other)]
    expected = study["unseen"]["results"]["LinearProbe (glyphs)"]["expected"]
    assert expected["by"] == "leave one domain out"
    page = (tmp_path / "m" / "report.html").read_text()
    assert "On a domain that is not among these 2 sources" in page
    assert f"<b>{expected['value']:.2f}</b>" in page


@pytest.fixture
def lab_model(lab, tmp_path):
    """What is left of the lab."""
    given = rg.Problem(target_labelled=rg.read_images(lab))
    return rg.METHODS["LinearProbe"]().fit(given, rg.open_backbone("glyphs")).save(tmp_path / "lab-model")


def test_a_model_whose_source_is_gone(run, lab_model, field, tmp_path):
    out = tmp_path / "m"
    told = run("fit", field, "--source-model", lab_model, "--test", field, "--out", out, "--report")
    assert told.exit_code == 0, told.output
    for part in (
        "Source: a model whose samples are gone (2 classes, glyphs, LinearProbe)",
        "baseline  SourceModelOnly",
        "Test set (40 samples)",
        "Verdict: ",
    ):
        assert part in told.output
    study = json.loads((out / "study.json").read_text())
    assert [row["method"] for row in study["results"]] == ["SourceModelOnly", "SourceFreeSHOT"]
    assert "whose samples are gone" in (out / "report.html").read_text()
    assert run("predict", out, field).exit_code == 0


def test_what_cannot_be_adapted_without_its_source_is_one_line(run, lab, lab_model, field, tmp_path):
    rows = "p,q,label\n" + "".join(f"{i},{i % 2},{'ab'[i % 2]}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(rows)
    table = tmp_path / "table-model"
    assert run("fit", tmp_path / "t.csv", "--methods", "LinearProbe", "--out", table).exit_code == 0
    for path, more, told in (
        (field, ["--source-model", lab_model, "--source", lab], "--source was given with --source-model"),
        (field, ["--source-model", lab_model, "--labels", "l.csv"], "--labels was given with"),
        (field, ["--source-model", lab], "is no model folder"),
        (tmp_path / "t.csv", ["--source-model", table], "no network inside that could be moved"),
        (tmp_path / "t.csv", ["--source-model", lab_model], "cannot be used on the target"),
    ):
        with pytest.raises(InputError, match=told) as reason:
            run("fit", path, *more, "--out", tmp_path / "m")
        assert "\n" not in str(reason.value)
        assert not (tmp_path / "m").exists()
    with pytest.raises(InputError, match="which would be replaced"):
        run("fit", field, "--source-model", lab_model, "--out", lab_model)


def test_sources_without_a_class_in_common_are_adapted_all_the_same(run, tmp_path):
    def table(name, classes):
        lines = [f"{4 * ord(c) + i % 5},{-2 * ord(c) + i % 3},{c}" for i in range(20) for c in classes]
        (tmp_path / name).write_text("\n".join(["a,b,kind", *lines]))
        return tmp_path / name

    field, first, second = table("field.csv", "abcd"), table("s1.csv", "ab"), table("s2.csv", "cd")
    sources = ("--source", first, "--source", second)
    told = run("fit", field, *sources, "--label", "kind", "--methods", "CORAL", "--out", tmp_path / "m")
    assert told.exit_code == 0, told.output
    assert "Left out: leaving one source out: a domain shares no class with the others" in told.output
    assert json.loads((tmp_path / "m" / "study.json").read_text())["unseen"] is None


def test_tables(run, tmp_path):
    luck = np.random.default_rng(0)
    for name, factor in (("lab", 1.0), ("field", 2.0)):
        x = luck.normal(size=(120, 3)) + 4 * (np.arange(120) % 2)[:, None]
        rows = [",".join(f"{v * factor:.4f}" for v in row) + f",{'ab'[i % 2]}" for i, row in enumerate(x)]
        (tmp_path / f"{name}.csv").write_text("p,q,r,label\n" + "\n".join(rows) + "\n")
    told = run("fit", tmp_path / "field.csv", "--source", tmp_path / "lab.csv", "--out", tmp_path / "m")
    assert told.exit_code == 0, told.output
    assert "Source: 120 rows of 3 columns, 2 classes" in told.output
    assert "Target: 120 rows of 3 columns, unlabelled" in told.output


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--target-labelled", "few"], "without --source"),
        (["--source", "lab", "--thin"], "--thin was given with --source"),
        (["--source", "nowhere"], "does not exist"),
    ],
)
def test_bad_input_is_one_line(run, lab, field, tmp_path, more, told):
    with pytest.raises(InputError, match=told):
        run("fit", "field", *more, "--out", "m")
    assert not (tmp_path / "m").exists()
