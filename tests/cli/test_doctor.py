"""regraft doctor, and what fit says and does about the same things."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps

from regraft.errors import InputError

CHEAP = ("--backbone", "glyphs")


def album(folder, seed=0):
    """Twenty soft pictures of two classes."""
    random = np.random.default_rng(seed)
    for i in range(20):
        name = "day" if i % 2 else "night"
        rough = random.integers(120 * (i % 2), 130 + 120 * (i % 2), (6, 8, 3), dtype=np.uint8)
        (folder / name).mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(rough).resize((160, 120), Image.Resampling.BICUBIC)
        picture.save(folder / name / f"{i}.jpg", quality=90)
    return folder


@pytest.fixture
def photos(tmp_path):
    return album(tmp_path / "photos")


@pytest.fixture
def others(tmp_path):
    return album(tmp_path / "others", seed=1)


def checks(told):
    return {found["check"]: found for found in told["findings"]}


def test_good_data_have_nothing_urgent(photos, others, run):
    told = json.loads(run("doctor", photos, others, *CHEAP, "--json").output)
    assert list(told["sides"]) == ["photos", "others"]
    assert not [f for f in told["findings"] if f["level"] == "problem"]
    assert not {"duplicates", "near duplicates", "leak", "spelling"} & set(checks(told))


def test_everything_wrong_is_listed_and_the_exit_code_is_zero(photos, others, run):
    shutil.copy(photos / "day" / "1.jpg", photos / "day" / "again.jpg")
    shutil.copy(photos / "day" / "3.jpg", photos / "night" / "torn.jpg")
    with Image.open(photos / "night" / "2.jpg") as picture:
        ImageOps.mirror(picture).resize((80, 60)).save(others / "night" / "mirrored.jpg", quality=60)
    (photos / "Day").mkdir()
    shutil.copy(photos / "day" / "5.jpg", photos / "Day" / "5.jpg")
    (photos / "day" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    result = run("doctor", photos, others, *CHEAP)
    assert result.exit_code == 0
    for told in (
        "photos: 6 pictures equal byte for byte to another, 3 different",
        "2 pictures with copies under different labels",
        "others: 1 of 21 pictures with a copy in photos",
        "'Day' and 'day'",
        "1 class with a single sample (Day)",
        "day/broken.jpg",
    ):
        assert told in result.output
    found = checks(json.loads(run("doctor", photos, others, *CHEAP, "--json").output))
    leak = found["leak"]["samples"][0]
    assert [(s["side"], s["name"]) for s in leak] == [
        ("photos", "night/2.jpg"),
        ("others", "night/mirrored.jpg"),
    ]


def test_a_flat_folder_is_a_side_without_labels(photos, others, run, tmp_path):
    flat = tmp_path / "pool"
    flat.mkdir()
    shutil.copy(photos / "day" / "1.jpg", flat / "a.jpg")
    found = checks(json.loads(run("doctor", photos, flat, *CHEAP, "--json").output))
    assert found["shared samples"]["level"] == "note"


def test_groups_across_folders(photos, others, run):
    told = run("doctor", photos, others, *CHEAP, "--group", r"/(\d)", "--json").output
    assert len(checks(json.loads(told))["groups across sides"]["samples"]) == 20


def test_tables(run, tmp_path):
    rows = [f"{i},{'red' if i % 3 else 'blue'},{'low' if i < 30 else 'high'}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["size,colour,label", *rows, "0,blue,high"]))
    found = checks(json.loads(run("doctor", "t.csv", "--json").output))
    assert found["contradictions"]["level"] == "warning"
    assert found["label errors"]["samples"][0][0]["note"] == "rather low"


@pytest.mark.parametrize(
    ("words", "told"),
    [(("nowhere",), "nowhere"), (("photos", "photos"), "twice"), (("photos", "--group", "("), "(")],
)
def test_bad_input_gets_one_line(photos, run, words, told):
    with pytest.raises(InputError) as caught:
        run("doctor", *words, *CHEAP)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_fit_takes_near_copies_out_of_the_test_and_says_so(photos, others, run, tmp_path):
    with Image.open(photos / "night" / "2.jpg") as picture:
        ImageOps.mirror(picture).save(others / "night" / "mirrored.jpg", quality=60)
    told = run("fit", photos, *CHEAP, "--test", others).output
    assert (
        "Data: problem: left out of the test: 1 of 21 samples, copies of labelled ones [night/mirrored.jpg]"
        in told
    )
    assert "Test set (20" in told
    study = json.loads((tmp_path / "photos-model" / "study.json").read_text())
    assert checks(study["examination"])["leak"]["level"] == "problem"
    assert study["test"]["judged"] == 20


def test_fit_checks_the_groups_of_the_test_where_it_has_them(photos, others, run):
    with pytest.raises(InputError, match="of a group that is"):
        run("fit", photos, *CHEAP, "--group", r"/(\d)", "--test", others)
    for i, file in enumerate(sorted(others.rglob("*.jpg"))):
        file.rename(file.with_name(f"x{i}.jpg"))
    told = run("fit", photos, *CHEAP, "--group", r"/(\d)", "--test", others)
    assert "are not checked" in told.output
    assert "Test set (20" in told.output
