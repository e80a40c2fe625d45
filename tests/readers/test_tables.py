import pytest

from regraft.errors import InputError
from regraft.readers import read_table


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


def test_unlabelled_drops_the_label_column(tmp_path):
    d = read_table(written(tmp_path, "a,label\n1,owl\n2,crow\n"), labelled=False)
    assert d.y is None
    assert d.x.columns == ("a",)
    assert read_table(written(tmp_path, "a,b\n1,2\n"), labelled=False).x.columns == ("a", "b")


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
        ("a,a,label\n1,2,3\n", {}, "several columns named 'a'"),
        ("label\nx\n", {}, "no column besides the label"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, options, told):
    with pytest.raises(InputError, match=told):
        read_table(written(tmp_path, text), **options)
