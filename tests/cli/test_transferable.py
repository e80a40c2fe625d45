import json
import shutil

import pytest

from regraft.errors import InputError

QUICK = ("--steps", 3, "--repeats", 2, "--cuts", "1,6")


@pytest.fixture
def four(photos, others, tmp_path):
    """Four classes of six pictures."""
    for name in ("day", "night"):
        shutil.copytree(others / name, tmp_path / "four" / f"{name} again")
        shutil.copytree(photos / name, tmp_path / "four" / name)
    return tmp_path / "four"


def test_a_source_and_a_target(photos, others, run, tmp_path):
    told = run("transferable", others, photos, *QUICK, "--out", "found.json").output
    for expected in ("baseA", "BnB+", "1 stem", "6 whole", "Co-adaptation", "Specialisation", "Fine-tuning"):
        assert expected in told
    written = json.loads((tmp_path / "found.json").read_text())
    assert written["steps"] == 3
    assert len(written["curves"]["AnB+"][1]["repeats"]) == 2


def test_halves_as_a_page_and_as_a_drawing(four, run, tmp_path):
    run("transferable", four, "--halves", *QUICK, "--out", "found.html")
    run("transferable", four, "--halves", *QUICK, "--out", "found.svg", "--no-cache")
    assert "half of the classes" in (tmp_path / "found.html").read_text()
    assert (tmp_path / "found.svg").read_text().startswith("<svg")


def test_a_pretrained_network_is_a(photos, run):
    told = run("transferable", photos, "--backbone", "glyphs", "--steps", 3, "--repeats", 2, "--cuts", 4)
    assert "A: what glyphs was pretrained on." in told.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("photos",), "nothing for A"),
        (("photos", "photos"), "12 samples of the source are in the target"),
        (("photos", "--halves"), "has 2 classes, and 4 are needed"),
        (("others", "photos", "--halves"), "a source and halves"),
        (("photos", "photos", "photos"), "3 folders were given"),
        (("others", "photos", "--cuts", "1,two"), "such as 1,3,5"),
        (("others", "photos", "--cuts", "7"), "numbers from 1 to 6"),
        (("others", "photos", "--repeats", "1"), "2 at the least"),
        (("others", "photos", "--out", "found.png"), "ends in .html, .svg or .json"),
        (("others", "photos", "--out", "."), "it is a folder"),
        (("others", "photos", "--budget", "soon"), "is no time"),
        (("others", "photos", "--budget", "0.001s", "--steps", "1"), "give more time"),
    ],
)
def test_what_it_cannot_do_is_said_and_nothing_is_written(photos, others, run, tmp_path, words, told):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=told):
        run("transferable", *words)
    assert sorted(tmp_path.rglob("*")) == before


def test_tables_are_refused(run, tmp_path):
    (tmp_path / "t.csv").write_text("size,label\n" + "1.5,owl\n2.5,crow\n" * 6)
    with pytest.raises(InputError, match="images or vectors"):
        run("transferable", "t.csv", "--halves")
