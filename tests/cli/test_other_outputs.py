"""Tables whose label is a number, or several labels, through every command."""

import csv
import json

import numpy as np
import pytest

from regraft.errors import InputError


@pytest.fixture
def homes(tmp_path):
    luck = np.random.default_rng(0)
    for name, n in (("homes", 60), ("test", 40)):
        size = luck.normal(80, 20, n)
        rows = [f"{s:.1f},{luck.normal():.2f},{3.1 * s + luck.normal(0, 10):.2f}" for s in size]
        (tmp_path / f"{name}.csv").write_text("\n".join(["size,noise,price", *rows]))
    return tmp_path


@pytest.mark.filterwarnings("ignore:.*is taken for an amount")
def test_numbers(run, homes):
    said = run("fit", "homes.csv", "--label", "price", "--test", "test.csv", "--report", "--out", "m").output
    assert "60 rows of 2 columns, 1 number (price)" in said
    assert "Handed over: RidgeProbe (columns), R² 0.9" in said
    assert "confusion" not in said
    study = json.loads((homes / "m" / "study.json").read_text())
    assert study["test"]["r2"]["value"] > 0.9
    assert study["test"]["mae"]["price"]["value"] == pytest.approx(8, abs=3)
    assert study["answers"][0].keys() == {"sample", "row", "label", "said", "off"}
    page = (homes / "m" / "report.html").read_text()
    assert "Estimated against true" in page
    assert "What was taken for what" not in page
    assert "It estimates 1 number: price." in (homes / "m" / "README.md").read_text()

    rows = list(csv.DictReader(run("predict", "m", "test.csv").stdout.splitlines()))
    assert list(rows[0]) == ["file", "price", "price low", "price high", "accepted", "novelty"]
    truth = [float(row["price"]) for row in csv.DictReader((homes / "test.csv").read_text().splitlines())]
    held = [float(r["price low"]) <= y <= float(r["price high"]) for r, y in zip(rows, truth, strict=True)]
    assert np.mean(held) > 0.75

    told = run("evaluate", "m", "test.csv").output
    assert "R²" in told
    assert "RMSE" in told
    with pytest.raises(InputError, match="no probabilities"):
        run("predict", "m", "test.csv", "--probabilities")


@pytest.mark.filterwarnings("ignore:.*is taken for an amount")
def test_a_method_for_classes_is_refused(run, homes):
    with pytest.raises(InputError, match="NearestMean learns classes"):
        run("plan", "homes.csv", "--label", "price", "--methods", "NearestMean")
    with pytest.raises(InputError, match=r"metric 'accuracy' is unknown.* r2"):
        run("fit", "homes.csv", "--label", "price", "--metric", "accuracy")
    assert not list(homes.glob("*-model"))


def test_unknown_numbers_leave_trees_out(run, tmp_path):
    pytest.importorskip("xgboost")
    rows = [f"{i},{i % 7 / 2},{i / 3 if i % 5 else ''}" for i in range(30)]
    (tmp_path / "t.csv").write_text("\n".join(["x,a,b", *rows]))
    said = run("plan", "t.csv", "--label", "a,b").output
    assert "some of the numbers are unknown" in said
    assert "baseline  Boosting" not in said


def test_labels(run, tmp_path):
    luck = np.random.default_rng(0)
    x = luck.normal(size=(60, 3))
    cells = np.where(luck.random((60, 2)) < 0.2, "", (x[:, :2] > 0).astype(int).astype(str))
    rows = [f"{','.join(f'{v:.2f}' for v in a)},{','.join(b)}" for a, b in zip(x, cells, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["u,v,w,cat,dog", *rows]))
    said = run("fit", "t.csv", "--label", "cat,dog", "--report", "--out", "m").output
    assert "2 labels (cat, dog)" in said
    assert "balanced label accuracy" in said
    assert "How well each label was found" in (tmp_path / "m" / "report.html").read_text()
    rows = list(csv.DictReader(run("predict", "m", "t.csv", "--probabilities").stdout.splitlines()))
    assert list(rows[0]) == ["file", "labels", "not sure of", "accepted", "novelty", "cat", "dog"]
    for row in rows:
        likely = [name for name in ("cat", "dog") if float(row[name]) > 0.5]
        assert row["labels"] == ";".join(likely)
    told = json.loads(run("evaluate", "m", "t.csv", "--json").stdout)
    assert told["label_accuracy"]["value"] > 0.85
    assert told["f1_of_each"].keys() == {"cat", "dog"}
