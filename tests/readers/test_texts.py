"""Texts from lists, tables, folders and lines."""

import hashlib

import numpy as np
import pytest
import torch

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.pooling import pooled
from regraft.readers import Texts, read_texts


def written(tmp_path, content, name="t.csv"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("wrap", [list, tuple, np.array, lambda texts: np.array(texts, dtype=object)])
def test_strings_are_texts(wrap):
    d = Domain(wrap(["an owl", "a crow"]), ["owl", "crow"])
    assert isinstance(d.x, Texts)
    assert str(d) == "2 texts, 2 classes"
    assert d[[1]].x.texts == ("a crow",)
    assert d[[1]].x.names() == ["1"]


def test_numbers_are_none():
    assert Domain([[1.0], [2.0]]).x.shape == (2, 1)
    assert Domain(np.array([[1, 2.5]], dtype=object)).x.dtype == torch.float64
    with pytest.raises(InputError, match="read_texts"):
        Domain(["an owl", 3])


def test_digests_are_of_the_characters():
    one = Texts(("Eule mit ä", "\ud800")).digests()
    assert one[0] == hashlib.blake2b("Eule mit ä".encode(), digest_size=16).digest()
    assert one[0] == Texts(("x", "Eule mit ä"), ("a", "b")).digests()[1]
    assert Domain(["a", "b"]).fingerprint() == Domain(["b", "a"]).fingerprint()


def test_sources_of_texts_are_pooled():
    both = pooled({"lab": Domain(["a", "b"], ["x", "y"]), "field": Domain(["c"], ["y"])})
    assert list(both.x.texts) == ["a", "b", "c"]
    with pytest.raises(InputError, match="no samples of one kind"):
        pooled({"lab": Domain(["a", "b"], ["x", "y"]), "field": Domain([[1.0]], ["y"])})


def test_columns_labels_groups_and_what_is_left_out(tmp_path):
    content = 'id,said,label,who\n1,"hoots, at night",owl,p\n2, ,crow,q\n3,caws,,p\n4,caws by day,crow,q\n'
    d = read_texts(written(tmp_path, content), text="said", group="who")
    assert list(d.x.texts) == ["hoots, at night", "caws by day"]
    assert d.x.names() == ["row 2", "row 5"]
    assert d.output.decode(d.y) == ["owl", "crow"]
    assert d.group_names == ("p", "q")
    assert d.left_out == (("row 4", "no label"), ("row 3", "empty text"))
    assert read_texts(written(tmp_path, content), text="said", labelled=False).y is None


def test_the_column_is_found_where_it_is_plain(tmp_path):
    assert len(read_texts(written(tmp_path, "sentence\tlabel\nan owl\t1\na crow\t0\n", "t.tsv"))) == 2
    d = read_texts(written(tmp_path, "a,Text\n1,an owl\n2,a crow\n"))
    assert list(d.x.texts) == ["an owl", "a crow"]
    assert d.y is None
    with pytest.raises(InputError, match=r"no column named text \(its columns: a, b, label\).*--text"):
        read_texts(written(tmp_path, "a,b,label\n1,2,3\n"))


def test_numbers_are_answers_too(tmp_path):
    d = read_texts(written(tmp_path, "text,stars\nfine,4.5\nbad,1.5\n"), label="stars", task="real")
    assert d.output.kind == "real"
    assert d.y.flatten().tolist() == [4.5, 1.5]


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ("text,label\nan owl,x\n", {"text": "txt"}, r"no column 'txt' \(its columns: text, label\).*text"),
        ("text,label\nan owl,x\n", {"label": "lable"}, "no column 'lable'"),
        ("text,label\nan owl,x\n", {"text": "label"}, "texts and of the labels"),
        ("text,label\n ,x\n", {}, "no row of .* has a text"),
        ("text,label\nan owl,\n", {}, "no row of .* has a label"),
        ("text,label\n", {}, "no rows"),
        ("text\nan owl\n", {"labelled": True}, "no column named label"),
        (b"text,label\n\xe4h,x\n", {}, "not UTF-8 text"),
        (b"text\0,label\n", {}, "a binary file"),
        ("text,label\nan owl,x\n", {"group": "who"}, "no column 'who'"),
    ],
)
def test_what_is_wrong_with_a_table_is_one_line(tmp_path, content, options, told):
    with pytest.raises(InputError, match=told) as caught:
        read_texts(written(tmp_path, content), **options)
    assert "\n" not in str(caught.value)


def test_folders_are_classes(tmp_path):
    for name, content in {
        "owl/1.txt": "hoots\n",
        "crow/1.txt": "caws",
        "crow/2.txt": " \n",
        "crow/3.txt": b"\xff\xfea\0",
        "crow/4.png": "x",
        "0.txt": "outside",
    }.items():
        written(tmp_path, content, name)
    d = read_texts(tmp_path)
    assert dict(zip(d.x.names(), d.x.texts, strict=True)) == {"crow/1.txt": "caws", "owl/1.txt": "hoots"}
    assert d.output.decode(d.y) == ["crow", "owl"]
    assert dict(d.left_out) == {
        "0.txt": "not in a class folder",
        "crow/2.txt": "empty text",
        "crow/3.txt": "in UTF-16",
        "crow/4.png": "not a text file (.png)",
    }
    pool = read_texts(tmp_path, labelled=False, group=r"(\w+)\.txt")
    assert pool.y is None
    assert sorted(pool.x.texts) == ["caws", "hoots", "outside"]
    assert pool.x.digests() == sorted(pool.x.digests())
    of_name = {name: pool.group_names[g] for name, g in zip(pool.x.names(), pool.group.tolist(), strict=True)}
    assert of_name == {"0.txt": "0", "crow/1.txt": "1", "owl/1.txt": "1"}


def test_one_text_a_line(tmp_path):
    d = read_texts(written(tmp_path, "\ufeffan owl\r\n\r\na crow\r\n", "t.txt"))
    assert list(d.x.texts) == ["an owl", "a crow"]
    assert d.x.names() == ["line 1", "line 3"]
    assert d.left_out == (("line 2", "empty text"),)


def test_what_is_wrong_with_files_is_one_line(tmp_path):
    for path, options, told in (
        (tmp_path / "none", {}, "does not exist: give a folder of texts"),
        (tmp_path / "none.csv", {}, "no such file"),
        (written(tmp_path, "", "empty.txt"), {}, "no texts to read"),
        (written(tmp_path, b"\xff", "bad.txt"), {}, "not UTF-8"),
        (written(tmp_path, "a\n", "a.txt"), {"labelled": True}, "no labels"),
        (written(tmp_path, "a\n", "a.txt"), {"group": "x"}, "no groups"),
        (written(tmp_path, "a\n", "some/a.txt").parent, {"labelled": True}, "no sub-folders with texts"),
        (tmp_path / "some", {"text": "x"}, "no columns to name"),
    ):
        with pytest.raises(InputError, match=told):
            read_texts(path, **options)
