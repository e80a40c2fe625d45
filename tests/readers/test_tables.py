import pytest
import torch

from regraft.errors import InputError
from regraft.preprocessing.tables import TablePreprocessing
from regraft.readers import Table, read_table
from regraft.readers.tables import write_csv


def written(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding=encoding)
    return path


def test_rows_labels_and_groups(tmp_path):
    d = read_table(written(tmp_path, "a,b,label,who\n1,x,owl,p\n2,,crow,q\n3,z,owl,p\n"), group="who")
    assert d.x.columns == ("a", "b")
    assert d.output.decode(d.y) == ["owl", "crow", "owl"]
    assert d.group.tolist() == [0, 1, 0]


def test_rows_without_a_label_are_left_out_and_named(tmp_path):
    d = read_table(written(tmp_path, "a,label\n1,owl\n2,\n3,crow\n"))
    assert len(d) == 2
    assert d.left_out == (("row 3", "no label"),)


def test_only_blank_labels_are_missing(tmp_path):
    d = read_table(written(tmp_path, "a,label\n1,Na\n2,None\n3,null\n4, \n5,?\n"))
    assert d.output.decode(d.y) == ["Na", "None", "null", "?"]


def test_the_label_column_of_a_pool_is_no_feature(tmp_path):
    train = read_table(written(tmp_path, "a,class,label\n1,x,owl\n2,y,crow\n"))
    pool = read_table(written(tmp_path, "label,class,a\ncrow,y,1\nowl,x,2\n"), labelled=False)
    bare = read_table(written(tmp_path, "class,a\ny,1\nx,2\n"), labelled=False)
    assert pool.y is None
    rule = TablePreprocessing().fit(train.x)
    assert rule.columns == ["a", "class = x", "class = y"]
    assert torch.equal(rule(pool.x), rule(bare.x))
    assert read_table(written(tmp_path, "a,who\n1,2\n"), label="who", labelled=False).x.columns == ("a",)


def test_a_column_is_of_one_kind_in_all_parts_of_the_table(tmp_path):
    cells = [str(i) for i in range(8)] + ["stray", ""]
    path = written(tmp_path, "a,b,label\n" + "\n".join(f"{cell},{i},owl" for i, cell in enumerate(cells)))
    with pytest.warns(UserWarning, match=r"'a' is taken as categories.* 1 of its .* 'stray' in row 10"):
        whole = read_table(path).x
    assert whole.numeric == {"b"}
    part = whole[torch.arange(8)]
    assert part.numeric == {"b"}
    assert TablePreprocessing().fit(part)(whole).shape == (10, 9)


@pytest.mark.parametrize(
    ("text", "numeric"),
    [
        ("a,b\n1,x\n,y\n-2e3,\n", {"a"}),
        ("a,b\n,NA\n?,1\n", {"b"}),
        ("a,b\ninf,1\n1,1\n", {"b"}),
    ],
)
def test_numeric_columns_hold_finite_numbers_alone(tmp_path, text, numeric):
    assert read_table(written(tmp_path, text), labelled=False).x.numeric == numeric


def test_decimal_commas_between_semicolons(tmp_path):
    x = read_table(written(tmp_path, "a;b;c;label\n3,5;1,2,3;-,5e2;u\n4;x;2.5;2\n")).x
    assert (x.column("a"), x.column("b"), x.column("c")) == (["3.5", "4"], ["1,2,3", "x"], ["-.5e2", "2.5"])
    assert x.numeric == {"a", "c"}
    assert read_table(written(tmp_path, 'a,label\n"3,5",x\n')).x.numeric == set()
    assert read_table(written(tmp_path, "a;label\n3;1,5\n"), task="classes").output.names == ("1,5",)
    assert read_table(written(tmp_path, "a;label\n3;1,5\n"), task="real").y.tolist() == [[1.5]]


def test_digests_do_not_depend_on_what_else_is_in_the_file():
    assert Table(("a",), [["1"], ["x"]]).digests()[0] == Table(("a",), [["1"]]).digests()[0]


def test_a_table_that_cannot_be_written(tmp_path):
    (tmp_path / "afile").write_text("precious")
    for path in (tmp_path / "afile" / "x.csv", tmp_path):
        with pytest.raises(InputError, match="cannot be written"):
            write_csv(path, ["a"], [["1"]])
    assert [p.name for p in tmp_path.iterdir()] == ["afile"]
    assert [p.name for p in tmp_path.parent.iterdir() if p.name.startswith(tmp_path.name)] == [tmp_path.name]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
def test_excel_files(tmp_path, encoding):
    d = read_table(written(tmp_path, 'größe;label\n1;"a; b"\n2;c\n', encoding))
    assert d.x.columns == ("größe",)
    assert d.output.names == ("a; b", "c")


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("a,b\n1,2\n", {}, "name the label column"),
        ("a,colour\n1,2\n", {"label": "color"}, "did you mean colour"),
        ("a,label\n1,2\n", {"group": "who"}, "no column 'who'"),
        ("a,a,label\n1,2,3\n", {}, "has the column 'a' twice"),
        ("label\nx\n", {}, "no column besides the label"),
        ("a,label\n", {}, "a header and no rows"),
        ("a\n", {"labelled": False}, "a header and no rows"),
        ("a,label\n1,\n2, \n", {}, "no row of .* has a label in the column 'label': .*--label NAME"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, options, told):
    with pytest.raises(InputError, match=told):
        read_table(written(tmp_path, text), **options)
