import json
import shutil

import pytest

from regraft.errors import InputError

CHEAP = ("--backbone", "pixels")


def test_folders_as_text_page_and_json(photos, others, run, tmp_path):
    told = run("shift", photos, others, *CHEAP, "--report", "far.html", "--json", "far.json").output
    for expected in ("Discrepancy for linear classifiers", "photos and others", "count as", "The page is"):
        assert expected in told
    assert "The bound" not in told
    saved = json.loads((tmp_path / "far.json").read_text())
    assert [d["name"] for d in saved["domains"]] == ["photos", "others"]
    assert saved["domains"][1]["told"].endswith("unlabelled")
    assert "How far apart the domains are" in (tmp_path / "far.html").read_text()


def test_labels_of_others_are_used_where_that_is_said_alone(photos, others, run, tmp_path):
    def asked(*words):
        run("shift", photos, others, *CHEAP, *words, "--json", "far.json")
        return json.loads((tmp_path / "far.json").read_text())

    before = asked()
    assert all(way["bound"] is None for way in before["ways"])
    assert asked("--use-labels", others)["ways"][0]["bound"]["total"]["value"] >= 0
    # other labels, and so other paths, of the same files
    (others / "day").rename(others / "x")
    (others / "night").rename(others / "day")
    (others / "x").rename(others / "night")
    shutil.move(others / "day" / "0.png", others / "night" / "a.png")
    assert asked() == before


def test_tables_with_a_label_in_one_or_both(run, tmp_path):
    for name, moved in (("a", 0), ("b", 40)):
        rows = [f"{i % 20 + moved},{i % 7},{'low' if i % 20 < 10 else 'high'}" for i in range(60)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["size,day,label", *rows]))
    told = run("shift", "a.csv", "b.csv").output
    assert "has a larger 'size'" in told
    assert "The bound" not in told
    assert "'label'" not in told
    assert "The bound" in run("shift", "a.csv", "b.csv", "--use-labels", "b.csv").output
    rows = (tmp_path / "b.csv").read_text().splitlines()
    (tmp_path / "b.csv").write_text("\n".join(row.rsplit(",", 1)[0] for row in rows))
    assert "has a larger 'size'" in run("shift", "a.csv", "b.csv").output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("photos",), "photos alone is given"),
        (("photos", "photos"), "twice"),
        (("photos", "nowhere"), "nowhere"),
        (("photos", "t.csv"), "samples of one kind"),
        (("t.csv", "u.csv"), "other columns"),
        (("photos", "others", "--use-labels", "third"), "none of the domains"),
        (("photos", "others", "--report", "."), "it is a folder"),
        (("photos", "others", "--device", "abacus"), "device"),
    ],
)
def test_bad_input_gets_one_line_and_nothing_is_written(photos, others, run, tmp_path, words, told):
    rows = "\n".join(f"{i},{i % 3}" for i in range(20))
    (tmp_path / "t.csv").write_text(f"size,day\n{rows}")
    (tmp_path / "u.csv").write_text(f"size,night\n{rows}")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=told) as caught:
        run("shift", *words)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before
