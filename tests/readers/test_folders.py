"""Folders as they are found on disks."""

import os

import pytest

from regraft.errors import InputError
from regraft.readers.folders import listed, shown


def test_order_junk_and_depth(tmp_path):
    for name in (
        "b/2.jpg",
        "b/deep/1.jpg",
        "a/1.jpg",
        "a/.hidden.jpg",
        "a/.DS_Store",
        "a/Thumbs.db",
        "z.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.jpg").touch()
    assert listed(tmp_path) == (["a/1.jpg", "b/2.jpg", "b/deep/1.jpg", "z.txt"], [])


def test_links_are_followed_but_not_in_circles(tmp_path):
    root, elsewhere = tmp_path / "photos", tmp_path / "elsewhere"
    (root / "a").mkdir(parents=True)
    elsewhere.mkdir()
    (root / "a" / "1.jpg").touch()
    (elsewhere / "2.jpg").touch()
    (root / "b").symlink_to(elsewhere)
    for link, target in {"a/self": root / "a", "a/up": tmp_path, "a/top": "/"}.items():
        (root / link).symlink_to(target)
    (elsewhere / "back").symlink_to(root)
    assert listed(root)[0] == ["a/1.jpg", "b/2.jpg"]


def test_folders_that_cannot_be_opened(tmp_path, monkeypatch):
    (tmp_path / "owl").mkdir()
    (tmp_path / "1.jpg").touch()
    opened = os.scandir

    def refusing(path):
        if str(path).endswith("owl"):
            raise PermissionError(13, "Permission denied")
        return opened(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert listed(tmp_path) == (["1.jpg"], [("owl/", "folder cannot be opened: permission denied")])
    with pytest.raises(InputError, match="permissions"):
        listed(tmp_path / "owl")


def test_what_is_no_folder(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "x.jpg").touch()
    with pytest.raises(InputError, match=r"does not exist.*did you mean photos\?"):
        listed(tmp_path / "fotos")
    with pytest.raises(InputError, match="is a file"):
        listed(tmp_path / "x.jpg")


def test_names_that_are_no_text_can_be_shown():
    shown(os.fsdecode(b"a\xff.jpg")).encode("utf-8")
