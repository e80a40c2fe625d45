"""Tables as spreadsheets, sensors and databases leave them: what is read, and what is refused in one line."""

import csv
import io
import math

import pytest
import torch

from regraft.errors import InputError
from regraft.preprocessing.tables import TablePreprocessing
from regraft.readers import read_table
from regraft.readers.tables import harmless


def table(*cells: str, header: str = "a") -> str:
    """Twelve rows of two classes, the cells in turn."""
    rows = [f"{cells[i % len(cells)]},{'xy'[i % 2]}" for i in range(12)]
    return "\n".join([f"{header},label", *rows]) + "\n"


# what is given, its text (or bytes), what is made of it, and the columns that come out
READ = [
    (
        "NaN, NA, null, ? and empty cells",
        table("1", "NaN", "NA", "null", "?", ""),
        "the median, and a column that says so",
        ["a", "a is missing"],
    ),
    ("a constant column", table("7"), "0 in every row", ["a"]),
    ("a column without any value", table(""), "nothing but that it is missing", ["a is missing"]),
    (
        "infinity among numbers",
        table("1", "inf", "2"),
        "a column of categories, with a note",
        ["a = 1", "a = 2", "a = inf"],
    ),
    (
        "numbers and words in one column",
        table("1", "2", "red"),
        "categories, with a note",
        ["a = 1", "a = 2", "a = red"],
    ),
    (
        "names such as 12_34",
        table("12_34", "12_35"),
        "categories: Python alone reads them as numbers",
        ["a = 12_34", "a = 12_35"],
    ),
    (
        "whole numbers beyond 2⁵³",
        table("9007199254740993", "9007199254740992"),
        "doubles: neighbours become equal",
        ["a"],
    ),
    ("a byte order mark", "\ufeff" + table("1", "2"), "passed over", ["a"]),
    (
        "line breaks inside quotes",
        table('"one\ntwo"', "three"),
        "part of the cell",
        ["a = one\ntwo", "a = three"],
    ),
    (
        "semicolons and decimal commas",
        table("1;5", "2;5").replace(",", ";", 1).replace(";5,", ",5;"),
        "numbers",
        ["a"],
    ),
]
REFUSED = [
    ("CP1252", table("café", "1").encode("cp1252"), "is not UTF-8 text (byte 11): save it as CSV in UTF-8"),
    ("UTF-16", table("1").encode("utf-16"), "is in UTF-16: save it as CSV in UTF-8"),
    ("a column name twice", "a,a,label\n1,2,x\n", "has the column 'a' twice: rename or drop one"),
    (
        "a row that is too long",
        "a,label\n1,x\n1,2,y\n",
        "row 3, has 3 cells and the header 2: quote cells that contain the separator",
    ),
    ("NUL bytes", "a,label\n1\0,x\n", "is a binary file: save it as CSV in UTF-8"),
]
OTHERS = [
    ("T1", "a category that training never showed", "all zeros, the other columns as ever"),
    ("T1", "columns in another order at predict", "the same predictions"),
    (
        "T1",
        "a formula in a name or label that predict writes",
        "' in front of a label, ./ in front of a file",
    ),
]


def test_the_page_says_so(page):
    read = [("T1", given, does) for given, _, does, _ in READ]
    page("Tables", [*read, *(("T1", given, f"refused: {told}") for given, _, told in REFUSED), *OTHERS])


@pytest.mark.filterwarnings("ignore:.*is taken as categories")
@pytest.mark.parametrize(("text", "columns"), [(r[1], r[3]) for r in READ], ids=[r[0] for r in READ])
def test_read(tmp_path, run, text, columns):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8", newline="")
    domain = read_table(tmp_path / "t.csv")
    rule = TablePreprocessing().fit(domain.x)
    assert sorted(rule.columns) == sorted(columns)
    assert torch.isfinite(rule(domain.x)).all()
    assert "12 rows of 1 columns, 2 classes" in run("plan", "t.csv").stdout


def test_what_the_numbers_become(tmp_path):
    def made(*cells):
        (tmp_path / "t.csv").write_text(table(*cells))
        x = read_table(tmp_path / "t.csv").x
        return TablePreprocessing().fit(x)(x)

    assert (made("7") == 0).all()
    filled = made("1", "NaN", "3", "")
    assert filled[:, 1].tolist() == [0, 1] * 6
    assert (filled[1::2, 0] == 0).all()  # the median, in units around it
    big = made("9007199254740993", "9007199254740992")
    assert (big == big[0]).all()


@pytest.mark.parametrize(("text", "told"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_refused(tmp_path, run, text, told):
    (tmp_path / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as refused:
        run("fit", "t.csv")
    assert str(refused.value).removeprefix("t.csv").lstrip(", ") == told
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.fixture
def model(tmp_path):
    from regraft.backbones import table as columns
    from regraft.methods import METHODS
    from regraft.problem import Problem

    rows = [f"{i},{'red' if i % 3 else 'blue'},{'=low' if i < 6 else '-1'}" for i in range(12)]
    (tmp_path / "t.csv").write_text("\n".join(["size,colour,label", *rows]))
    labelled = read_table(tmp_path / "t.csv")
    return METHODS["LinearProbe"]().fit(Problem(target_labelled=labelled), columns()).save(tmp_path / "m")


def predicted(run, model, tmp_path, text) -> list[dict[str, str]]:
    (tmp_path / "new.csv").write_text(text)
    return list(csv.DictReader(io.StringIO(run("predict", model, "new.csv", "--probabilities").stdout)))


def test_unseen_categories_and_other_orders(model, run, tmp_path):
    known = predicted(run, model, tmp_path, "size,colour\n1,red\n9,blue\n")
    assert predicted(run, model, tmp_path, "colour,size\nred,1\nblue,9\n") == known
    (odd,) = predicted(run, model, tmp_path, "size,colour\n9,mauve\n")
    assert odd["label"] == "-1"
    assert math.isfinite(float(odd["probability"]))


def test_formulas_are_shown_and_not_run(model, run, tmp_path):
    low, high = predicted(run, model, tmp_path, "size,colour\n1,red\n9,red\n")
    assert (low["label"], high["label"]) == ("'=low", "-1")
    assert list(low) == ["file", "label", "probability", "accepted", "novelty", "-1", "'=low"]
    run("predict", model, "new.csv", "--out", "p.csv")
    with (tmp_path / "p.csv").open(newline="") as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["'=low", "-1"]


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")', "-x", "+", "=", "-1_0"],
)
def test_what_a_spreadsheet_would_run(cell):
    assert harmless([cell]) == ["'" + cell]


@pytest.mark.parametrize("cell", ["", "-1", "+1", "-1.5e3", "owl", "a=1", "1-2", "'x", " =1", "0"])
def test_what_it_would_not(cell):
    assert harmless([cell]) == [cell]
