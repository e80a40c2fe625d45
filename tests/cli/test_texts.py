"""Texts through the command line: what is fitted, said and predicted."""

import csv
import io
import json

import pytest

from regraft.errors import InputError

NIGHT = ("hoots", "night", "dark", "moon", "mice", "silent")
DAY = ("caws", "day", "bright", "sun", "seeds", "noisy")


@pytest.fixture
def birds(tmp_path):
    """A CSV file of 24 texts about owls and crows, the last one there twice."""
    file = tmp_path / "birds.csv"
    rows = [("said", "label")]
    for i in range(12):
        for name, words in (("owl", NIGHT), ("crow", DAY)):
            rows.append((f"The bird, {words[i % 6]} and {words[(i + 1 + i // 6) % 6]}!", name))
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([*rows, rows[-1], (" ", "owl")])
    return file


def test_texts_are_fitted_predicted_and_evaluated(birds, run, tmp_path):
    told = run("fit", birds, "--text", "said", "--methods", "LinearProbe", "--report", "page.html").output
    assert "25 texts, 2 classes" in told
    assert "LinearProbe (bag of words)" in told
    assert "not used: row 27: empty text" in told
    assert "The bird, " in (tmp_path / "page.html").read_text()
    assert (
        "regraft predict FOLDER new.csv --text COLUMN" in (tmp_path / "birds-model" / "README.md").read_text()
    )
    (tmp_path / "new.txt").write_text("silent in the dark\nbright and noisy\n")
    rows = list(csv.DictReader(io.StringIO(run("predict", "birds-model", "new.txt").stdout)))
    assert [(row["file"], row["label"]) for row in rows] == [("line 1", "owl"), ("line 2", "crow")]
    assert "balanced accuracy" in run("evaluate", "birds-model", birds).output
    copied = json.loads(run("doctor", birds, "--text", "said", "--json").stdout)
    assert "duplicates" in json.dumps(copied)


def test_a_column_that_is_not_there_is_one_line(birds, run):
    for command, told in (
        (("fit", birds, "--text", "sad"), "no column 'sad'"),
        (("plan", birds, "--text", "said", "--labels", birds), "belong to images"),
    ):
        with pytest.raises(InputError, match=told):
            run(*command)
