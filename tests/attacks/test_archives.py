"""Archives where a folder belongs: Regraft unpacks nothing, so nothing can slip out of one or swell."""

import io
import os
import tarfile
import zipfile

import pytest


def slipping_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("../slipped", "/tmp/slipped", "..\\slipped", "model/model.json", "day/1.png"):
            archive.writestr(name, "x")


def slipping_tar(path):
    with tarfile.open(path, "w:gz") as archive:
        for kind, name, target in (
            (tarfile.REGTYPE, "../slipped", ""),
            (tarfile.SYMTYPE, "out", "/"),
            (tarfile.REGTYPE, "out/tmp/slipped", ""),
            (tarfile.LNKTYPE, "hard", "../../etc/passwd"),
            (tarfile.CHRTYPE, "zero", ""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member)


def swelling(path):
    """Sixteen of sixteen archives of a megabyte of nothing, as 42.zip is made."""
    content = bytes(1_000_000)
    for depth in range(3):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for i in range(16):
                archive.writestr(f"{depth}-{i}.zip", content)
        content = file.getvalue()
    path.write_bytes(content)


ARCHIVES = {"zip slip.zip": slipping_zip, "tar slip.tar.gz": slipping_tar, "42.zip": swelling}


@pytest.fixture(params=ARCHIVES)
def archive(request, tmp_path):
    path = tmp_path / request.param
    ARCHIVES[request.param](path)
    return path


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("fit", "?"), "unpack an archive first"),
        (("plan", "?"), "unpack an archive first"),
        (("fit", "photos", "--test", "?"), "unpack an archive first"),
        (("fit", "photos", "--labels", "?"), "is a binary file"),
        (("predict", "?", "photos"), "is no model folder"),
        (("evaluate", "?", "photos"), "is no model folder"),
    ],
)
def test_as_a_folder(attack, archive, tmp_path, words, told):
    for name in ("day", "night"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "1.ppm").write_bytes(b"P5 8 8 255\n" + os.urandom(64))
    before = sorted(tmp_path.rglob("*"))
    attack(*(archive if word == "?" else word for word in words)).refuses(told)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "told"),
    [("day/1.png", "none of the images of photos can be read"), ("t.csv", "is a binary file")],
)
def test_under_another_name(attack, archive, tmp_path, name, told):
    path = tmp_path / "photos" / name
    path.parent.mkdir(parents=True)
    archive.rename(path)
    attack("plan", path if name == "t.csv" else "photos").refuses(told)
