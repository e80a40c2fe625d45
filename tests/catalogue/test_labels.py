"""Labels that are few, alike, missing, strange or far too many."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from regraft.backbones import table
from regraft.errors import InputError
from regraft.methods import METHODS
from regraft.problem import Problem
from regraft.readers import read_table

STRANGE = {
    "__proto__": "__proto__",
    "../x": "../x",
    "<img onerror=alert(1)>": "<img onerror=alert(1)>",
    "10,000 letters": "L" * 10_000,
    "a new line and an escape": "a\nb\x1b[31mred",
    "right to left": "\u202eowl",
}
DIFFER = (
    " differ only by case, space or Unicode form: "
    "merge them (--merge-labels) or keep them apart (--keep-labels)"
)
# number, what is given, the label of each of twelve rows, what `fit` refuses or says
REFUSED = [
    (
        "L1",
        "every class has one sample",
        [str(i) for i in range(12)],
        "every one of the 12 classes has a single sample (or a single group, or copies of one picture): "
        "nothing can be judged; label at least two of some class",
    ),
    (
        "L2",
        "a single class",
        ["owl"] * 12,
        "there is only one class, 'owl': give samples of at least two classes",
    ),
    (
        "L4",
        "café composed and decomposed",
        ["caf\u00e9", "cafe\u0301"] * 6,
        "labels 'cafe\u0301' and 'caf\u00e9'" + DIFFER,
    ),
    (
        "L4",
        "a space at the end",
        ["owl", "owl "] * 6,
        "labels 'owl' and 'owl '" + DIFFER,
    ),
    (
        "L4",
        "another case",
        ["owl", "Owl"] * 6,
        "labels 'Owl' and 'owl'" + DIFFER,
    ),
    (
        "L5",
        "no label at all",
        [""] * 12,
        "no row of t.csv has a label in the column 'label': "
        "fill it in, or name another column (--label NAME)",
    ),
    (
        "L7",
        "10,000 classes of 20,000 samples",
        [f"c{i // 2}" for i in range(20_000)],
        "20,000 samples of 10,000 classes have 200,000,000 scores, and 50,000,000 are compared: "
        "is this the column or folder that names the class?",
    ),
]
FITTED = [
    ("L1", "one class with one sample", ["x"] + ["y", "z"] * 6, "trained on and not judged", ("x", "y", "z")),
    (
        "L3",
        "a class that some folds lack",
        ["x"] * 2 + ["y", "z"] * 6,
        "judged where it can be; never an error",
        ("x", "y", "z"),
    ),
    (
        "L5",
        "blank labels among others",
        ["x", "y", " ", "x", "y", ""] * 3,
        "those rows are left out and named",
        ("x", "y"),
    ),
    (
        "L5",
        "None, nan and 3 as labels",
        ["None", "nan", "3"] * 4,
        "names like any other",
        ("3", "None", "nan"),
    ),
    (
        "L6",
        "01, 1, 10 and 2",
        ["01", "1", "10", "2"] * 3,
        "four classes, in the order of their values",
        ("01", "1", "2", "10"),
    ),
]
OTHERS = [
    (
        "L8",
        "one file with two labels in a label file",
        "refused: labels.csv labels a.png both 'owl' and 'crow': keep one row",
    ),
    *(
        (
            "L9",
            f"a class named {name.replace('<', '&lt;')}",
            "a name: kept as it is in files, and shown without what steers a terminal",
        )
        for name in STRANGE
    ),
]


def written(path, labels):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["a", "label"], *([i, label] for i, label in enumerate(labels))])


def ids(rows):
    return [f"{row[0]} {row[1]}" for row in rows]


def test_the_page_says_so(page):
    rows = [(i, given, f"refused: {told}") for i, given, _, told in REFUSED]
    rows += [(i, given, does) for i, given, _, does, _ in FITTED]
    page("Labels", sorted([*rows, *OTHERS], key=lambda row: row[0]))


@pytest.mark.parametrize(("labels", "told"), [row[2:] for row in REFUSED], ids=ids(REFUSED))
def test_refused(run, tmp_path, labels, told):
    written(tmp_path / "t.csv", labels)
    with pytest.raises(InputError) as refused:
        run("fit", "t.csv")
    assert str(refused.value) == told
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(("labels", "names"), [(row[2], row[4]) for row in FITTED], ids=ids(FITTED))
def test_fitted(run, tmp_path, labels, names):
    written(tmp_path / "t.csv", labels)
    result = run("fit", "t.csv", "--methods", "NearestMean")
    assert result.exit_code == 0
    assert "Handed over" in result.stdout
    assert read_table(tmp_path / "t.csv").classes.names == names
    left_out = [i for i, label in enumerate(labels) if not label.strip()]
    assert [f"row {i + 2}: no label" in result.stderr for i in left_out[:5]] == [True] * len(left_out[:5])
    if labels.count("x") == 1:
        assert "single sample (x): trained on, but not judged" in result.stdout


def test_l8_contradictory_labels(run, tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("file,label\na.png,owl\na.png,crow\n")
    with pytest.raises(InputError, match=r"labels.csv labels a.png both 'owl' and 'crow': keep one row"):
        run("fit", tmp_path, "--labels", "labels.csv")


def test_l9_strange_names_survive_and_steer_nothing(run, tmp_path):
    names = sorted(STRANGE.values())
    written(tmp_path / "t.csv", np.repeat(names, 4).tolist())
    labelled = read_table(tmp_path / "t.csv")
    METHODS["NearestMean"]().fit(Problem(target_labelled=labelled), table()).save(tmp_path / "t-model")
    saved = json.loads((tmp_path / "t-model" / "model.json").read_text(encoding="utf-8"))
    assert sorted(saved["output"]["names"]) == names
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t-model", "t.csv"]
    run("predict", "t-model", "t.csv", "--out", "p.csv")
    with (tmp_path / "p.csv").open(newline="", encoding="utf-8") as file:
        assert {row["label"] for row in csv.DictReader(file)} <= set(names)
    for words in (("plan", "t.csv"), ("evaluate", "t-model", "t.csv")):
        shown = run(*words).output
        assert "\x1b" not in shown
        assert "\u202e" not in shown
