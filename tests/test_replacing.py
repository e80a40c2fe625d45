import sys
from pathlib import Path

import pytest

from regraft import replacing
from regraft.replacing import replace_folder


def holding(folder, text):
    folder.mkdir()
    (folder / "x").write_text(text)
    return folder


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("there", [True, False])
def test_the_new_is_there_and_the_old_is_gone(tmp_path, monkeypatch, at_once, there):
    if not at_once:
        monkeypatch.setattr(replacing, "_exchanged", lambda one, other: False)
    target, new = tmp_path / "model", holding(tmp_path / "new", "new")
    if there:
        holding(target, "old")
    replace_folder(target, new, tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (target / "x").read_text() == "new"


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="needs a system that exchanges names")
def test_there_is_no_moment_without_a_model(tmp_path, monkeypatch):
    """Nothing is renamed: the two names change places in one call of the system."""

    def moved(*names):
        raise AssertionError("moved in two steps")

    monkeypatch.setattr(Path, "rename", moved)
    replace_folder(holding(tmp_path / "model", "old"), holding(tmp_path / "new", "new"), tmp_path / "old")
    assert (tmp_path / "model" / "x").read_text() == "new"
