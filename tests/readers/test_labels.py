"""Label files as people write them."""

from pathlib import Path

import pytest

from regraft.errors import InputError
from regraft.readers.labels import read_labels


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "labels.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_separators_line_ends_and_byte_order_mark(tmp_path, mark, end, start):
    lines = [["file", "label"], ["a.jpg", "owl"], ["b.jpg", '"crow, big; black"']]
    table = read_labels(written(tmp_path, start + end.join(mark.join(cells) for cells in lines) + end))
    rows = table.by_file(tmp_path)
    assert {name: row[table.label_columns()[0]] for name, row in rows.items()} == {
        "a.jpg": "owl",
        "b.jpg": "crow, big; black",
    }


@pytest.mark.parametrize("file", ["file", "Filename", "path", "IMAGE", "file_name"])
@pytest.mark.parametrize("label", ["label", "Class"])
def test_columns_are_found_by_name(tmp_path, file, label):
    table = read_labels(written(tmp_path, f"site,{label}, {file}\nA,owl,x.jpg\n\n"))
    assert table.label_columns() == (label,)
    assert table.by_file(tmp_path)["x.jpg"]["site"] == "A"


def test_a_missing_column_is_named_with_what_is_there(tmp_path):
    table = read_labels(written(tmp_path, "file,lable\na.jpg,owl\n"))
    with pytest.raises(InputError, match=r"no column 'label'.*'lable'.*did you mean lable\?"):
        table.by_file(tmp_path)
    with pytest.raises(InputError, match=r"no column 'file'.*'a.jpg', 'owl'"):
        read_labels(written(tmp_path, "a.jpg,owl\nb.jpg,crow\n")).by_file(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("file,label\na.jpg,owl\n".encode("utf-16"), "UTF-16"),
        ("file,label\na.jpg,hibou é\n".encode("cp1252"), "not UTF-8"),
        (b"PK\x03\x04\0\0", "binary"),
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("file,label\na.jpg,owl,big\n", "row 2, has 3 cells"),
        ("file,label,label\na.jpg,owl,owl\n", "twice"),
        ('file,label\n"a.jpg,owl\n', "not a CSV table"),
    ],
)
def test_files_that_are_no_table(tmp_path, content, reason):
    with pytest.raises(InputError, match=reason):
        read_labels(written(tmp_path, content))


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_labels(tmp_path / "labels.csv")


@pytest.mark.parametrize("name", ["../x.jpg", "a/../../x.jpg", "/etc/x.jpg", "..\\x.jpg"])
def test_paths_stay_inside_the_folder(tmp_path, name):
    table = read_labels(written(tmp_path, f"file,label\n{name},owl\n"))
    with pytest.raises(InputError, match="outside"):
        table.by_file(tmp_path)


def test_paths_inside_the_folder_in_any_writing(tmp_path):
    inside = tmp_path / "deep" / "c.jpg"
    text = f"file,label\n./a.jpg,owl\ndeep\\b.jpg,owl\n{inside},owl\n"
    assert set(read_labels(written(tmp_path, text)).by_file(tmp_path)) == {
        "a.jpg",
        "deep/b.jpg",
        "deep/c.jpg",
    }


def test_a_file_labelled_twice(tmp_path):
    assert len(read_labels(written(tmp_path, "file,label\na.jpg,owl\n./a.jpg,owl\n")).by_file(tmp_path)) == 1
    with pytest.raises(InputError, match=r"a.jpg both 'owl' and 'crow'"):
        read_labels(written(tmp_path, "file,label\na.jpg,owl\na.jpg,crow\n")).by_file(tmp_path)
