"""Folders, lists and label files of images, as domains."""

import hashlib
import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from regraft.backbones.raw import pixels
from regraft.errors import InputError
from regraft.readers import ImageFiles, image_files, read_images
from regraft.samples import Samples


def draw(root: Path, *names: str) -> Path:
    """Small pictures, each of another colour."""
    for i, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 4), (i, 2 * i, 255 - i)).save(path)
    return root


def table(folder: Path, *rows: str, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def labels(domain) -> dict[str, str]:
    return dict(zip(domain.x.names(), domain.classes.decode(domain.labels), strict=True))


def test_a_folder_for_each_class(tmp_path):
    photos = read_images(draw(tmp_path, "owl/b.png", "crow/deep/a.jpg", "owl/a.webp"))
    assert labels(photos) == {"crow/deep/a.jpg": "crow", "owl/a.webp": "owl", "owl/b.png": "owl"}
    assert photos.x.names() == sorted(photos.x.names())
    assert str(photos) == "3 image files, 2 classes"
    assert photos.left_out == ()


def test_files_are_samples(tmp_path):
    files = read_images(draw(tmp_path, "a/1.png", "b/2.png", "b/3.png")).x
    assert isinstance(files, Samples)
    picked = files[torch.tensor([2, 0])]
    assert isinstance(picked, ImageFiles)
    assert picked.names() == ["b/3.png", "a/1.png"]
    expected = [hashlib.blake2b((tmp_path / n).read_bytes(), digest_size=16).digest() for n in picked.names()]
    assert picked.digests() == expected
    assert image_files([tmp_path / n for n in picked.names()]).digests() == expected
    assert str(picked[torch.tensor([0])]) == "1 image file"


@pytest.mark.parametrize(
    "name", ["__proto__", "Käuzchen", "猫頭鷹", "<img onerror>", "two words", "01", "x.jpg"]
)
def test_class_names_of_any_kind(tmp_path, name):
    assert labels(read_images(draw(tmp_path, f"{name}/1.png", "other/1.png")))[f"{name}/1.png"] == name


def test_names_that_are_no_text(tmp_path):
    try:
        draw(tmp_path, os.fsdecode(b"\xff/1.png"), "b/1.png")
    except OSError:
        pytest.skip("this disk takes text only")
    read_images(tmp_path).x.names()[1].encode("utf-8")


def test_spellings(tmp_path):
    draw(tmp_path, "Owl/1.png", "owl/1.png", "owl/2.png")
    with pytest.raises(InputError, match="'Owl' and 'owl'"):
        read_images(tmp_path)
    assert read_images(tmp_path, spelling="merge").classes.names == ("owl",)
    assert read_images(tmp_path, spelling="keep").classes.names == ("Owl", "owl")


def test_what_cannot_be_used_is_left_out_with_its_reason(tmp_path):
    draw(tmp_path, "a/1.png", "a/cut.png", "b/1.png", "stray.png")
    cut = tmp_path / "a" / "cut.png"
    cut.write_bytes(cut.read_bytes()[:50])
    (tmp_path / "b" / "page.jpg").write_text("<html>not found</html>")
    (tmp_path / "b" / "empty.jpg").touch()
    (tmp_path / "b" / "notes.txt").touch()
    (tmp_path / "b" / "phone.HEIC").touch()
    (tmp_path / "b" / ".hidden.jpg").touch()
    (tmp_path / "b" / "Thumbs.db").touch()
    photos = read_images(tmp_path)
    assert photos.x.names() == ["a/1.png", "b/1.png"]
    reasons = dict(photos.left_out)
    assert reasons.pop("a/cut.png")
    assert reasons == {
        "b/page.jpg": "a web page, not an image",
        "b/empty.jpg": "empty file",
        "b/notes.txt": "not an image file (.txt)",
        "b/phone.HEIC": "format not supported (.heic): convert it to JPEG or PNG",
        "stray.png": "not in a class folder",
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_left_out(tmp_path):
    draw(tmp_path, "a/1.png", "b/1.png")
    os.mkfifo(tmp_path / "a" / "pipe.jpg")
    assert read_images(tmp_path).left_out == (("a/pipe.jpg", "not a regular file"),)


def test_a_class_whose_images_are_all_broken_is_no_class(tmp_path):
    draw(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "b" / "1.png").write_bytes(b"")
    assert read_images(tmp_path).classes.names == ("a",)


def test_a_flat_folder_is_unlabelled(tmp_path):
    photos = read_images(draw(tmp_path, "2.png", "1.png"))
    assert photos.y is None
    assert photos.x.names() == ["1.png", "2.png"]
    with pytest.raises(InputError, match="no sub-folders"):
        read_images(tmp_path, labelled=True)


def test_a_pool_does_not_depend_on_where_its_files_lie(tmp_path):
    before = read_images(draw(tmp_path / "x", "a/1.png", "a/2.png", "b/3.png"), labelled=False)
    (tmp_path / "x" / "a" / "1.png").rename(tmp_path / "x" / "b" / "9.png")
    (tmp_path / "x" / "b" / "3.png").rename(tmp_path / "x" / "a" / "0.png")
    after = read_images(tmp_path / "x", labelled=False)
    assert before.y is None
    assert before.x.digests() == after.x.digests()
    assert before.x.names() != after.x.names()


def test_a_list_keeps_its_order(tmp_path, monkeypatch):
    monkeypatch.chdir(draw(tmp_path, "a/1.png", "2.dat.png"))
    (tmp_path / "2.dat.png").rename(tmp_path / "2.dat")
    names = ["a/1.png", "2.dat", str(tmp_path / "a" / "1.png")]
    photos = read_images(names)
    assert photos.x.names() == names
    assert photos.y is None
    with pytest.raises(InputError, match=r"names 1 file that does not exist: x.png"):
        read_images(["2.dat", "x.png"])
    with pytest.raises(InputError, match="no labels"):
        read_images(["2.dat"], labels="labels.csv")


def test_a_label_file(tmp_path):
    draw(tmp_path, "1.png", "2.png", "deep/3.png", "4.png", "5.png")
    (tmp_path / "notes.txt").touch()
    rows = table(tmp_path, "file,label,site", "deep/3.png,owl,A", "1.png,crow,B", "2.png,owl,B", "5.png,,A")
    photos = read_images(tmp_path, labels=rows, group="site")
    assert labels(photos) == {"1.png": "crow", "2.png": "owl", "deep/3.png": "owl"}
    assert photos.group.tolist() == [0, 0, 1]
    assert photos.left_out == (
        ("4.png", "no label in labels.csv"),
        ("5.png", "no label in labels.csv"),
        ("notes.txt", "not an image file (.txt)"),
    )


def test_a_label_file_of_files_that_are_not_there(tmp_path):
    draw(tmp_path, "photo1.png")
    rows = table(tmp_path, "file,label", *(f"photo{i}.png,owl" for i in range(1, 6)))
    with pytest.raises(
        InputError, match=r"labels.csv names 4 files that do not exist: photo2.png, .*, …; did you"
    ):
        read_images(tmp_path, labels=rows)


def test_a_label_file_in_another_unicode_form(tmp_path):
    draw(tmp_path, "cafe\u0301.png")
    assert len(read_images(tmp_path, labels=table(tmp_path, "file,label", "caf\u00e9.png,owl"))) == 1


def test_a_label_file_cannot_leave_the_folder(tmp_path):
    draw(tmp_path, "secret.png", "photos/1.png")
    rows = table(tmp_path, "file,label", "../secret.png,owl")
    with pytest.raises(InputError, match="outside"):
        read_images(tmp_path / "photos", labels=rows)


def test_labels_of_a_pool_contradict(tmp_path):
    with pytest.raises(InputError, match="contradict"):
        read_images(tmp_path, labels="labels.csv", labelled=False)


@pytest.mark.parametrize("pattern", [r"(s\d)_", r"s\d"])
def test_groups_by_expression(tmp_path, pattern):
    photos = read_images(draw(tmp_path, "a/s1_1.png", "a/s2_1.png", "b/s1_2.png"), group=pattern)
    assert photos.group.tolist() == [0, 1, 0]


def test_groups_that_are_not_found(tmp_path):
    draw(tmp_path, "a/s1.png", "b/x.png")
    with pytest.raises(InputError, match=r"does not match b/x.png"):
        read_images(tmp_path, group=r"s\d")
    with pytest.raises(InputError, match="no regular expression"):
        read_images(tmp_path, group="(")
    rows = table(tmp_path, "file,label,site", "a/s1.png,owl,", "b/x.png,owl,A")
    with pytest.raises(InputError, match="no site"):
        read_images(tmp_path, labels=rows, group="site")
    with pytest.raises(InputError, match=r"'size' is no column of the label file \(file, label, site\)"):
        read_images(tmp_path, labels=rows, group="size")


def test_folders_without_images(tmp_path):
    with pytest.raises(InputError, match="holds no images"):
        read_images(tmp_path)
    (tmp_path / "x.jpg").write_text("words")
    with pytest.raises(InputError, match=r"none of the images .*x.jpg: text, not an image"):
        read_images(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        read_images(tmp_path / "nothing")


def test_progress_counts_every_file(tmp_path):
    class Counting:
        def __init__(self):
            self.seen = []

        @contextmanager
        def track(self, name, total):
            self.seen.append(total)
            yield self

        def advance(self, steps=1):
            self.seen.append(steps)

        def say(self, line): ...

    progress = Counting()
    read_images(draw(tmp_path, "a/1.png", "b/1.png", "b/2.png"), progress=progress)
    assert progress.seen == [3, 1, 1, 1]


def test_bombs_are_left_out_without_a_warning(tmp_path):
    draw(tmp_path, "a/1.png", "b/1.png")
    Image.fromarray(np.zeros((9_500, 9_500), np.uint8)).convert("1").save(tmp_path / "b" / "bomb.png")
    assert read_images(tmp_path).left_out == (("b/bomb.png", "9500×9500 pixels, more than 89,478,485"),)


def test_thumbnails_are_what_the_baseline_on_raw_pixels_sees(tmp_path):
    """Made while reading, and the same bits as from the files; of a large JPEG, and of a small grey PNG."""
    random = np.random.default_rng(0)
    for name, size, mode in [("a/1.jpg", (300, 400, 3), "RGB"), ("b/1.png", (20, 50), "L")]:
        (tmp_path / name).parent.mkdir()
        Image.fromarray(random.integers(0, 255, size, dtype=np.uint8), mode).save(tmp_path / name)
    read = read_images(tmp_path).x
    rule = pixels().preprocessing
    by_hand = rule(image_files(read.paths))
    assert read.thumbnails.shape == (2, 3, 32, 32)
    assert torch.equal(rule(read), by_hand)
    assert torch.equal(rule(read[torch.tensor([1])]), by_hand[1:])
    assert not torch.equal(replace(rule, colour="grey", mean=(0.0,), std=(1.0,))(read), by_hand[:, :1])
