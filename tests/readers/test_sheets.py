"""CSV files as programs write them, and as an attacker does."""

from pathlib import Path

import pytest

from regraft.errors import InputError
from regraft.readers import sheets
from regraft.readers.sheets import read_sheet


def written(folder: Path, content: str) -> Path:
    path = folder / "t.csv"
    path.write_bytes(content.encode())
    return path


def test_line_separators_of_unicode_do_not_end_a_row(tmp_path):
    sheet = read_sheet(written(tmp_path, 'file,note\na.jpg,"one\u2028two\nthree"\n'))
    assert (sheet.columns, sheet.rows) == (("file", "note"), (["a.jpg", "one\u2028two\nthree"],))


def test_rows_keep_their_numbers_where_blank_ones_lie_between(tmp_path):
    assert read_sheet(written(tmp_path, "a,b\n1,2\n,\n3,4\n")).numbers == (2, 4)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_wide_header_is_cut_by_its_own_mark(tmp_path, mark):
    columns = [f"column{i}" for i in range(20_000)]  # without the mark, longer than any cell may be
    assert read_sheet(written(tmp_path, mark.join(columns) + "\n")).columns == tuple(columns)


def test_what_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "MOST_COLUMNS", 3)
    monkeypatch.setattr(sheets, "MOST_CELLS", 10)
    read_sheet(written(tmp_path, "a,b,c\n" + "1,2,3\n"))
    with pytest.raises(InputError, match="has 4 columns in row 1, and 3 are read"):
        read_sheet(written(tmp_path, "a,b,c,d\n"))
    with pytest.raises(InputError, match="more than 10 cells: split it"):
        read_sheet(written(tmp_path, "a,b,c\n" + "1,2,3\n" * 3))
    with pytest.raises(InputError, match="more than 10 cells: split it"):
        read_sheet(written(tmp_path, "a,b,c\n" + "\n" * 100))
