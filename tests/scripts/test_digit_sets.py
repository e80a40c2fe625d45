"""Files as the archives of digits and signs hold them, written small and read again."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import scipy.io
from PIL import Image

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "digit_sets.py"
HEADER = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"


@pytest.fixture(scope="module")
def sets() -> ModuleType:
    found = importlib.util.spec_from_file_location("digit_sets", SCRIPT)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["digit_sets"] = module  # where dataclasses look up their annotations
    found.loader.exec_module(module)
    return module


@pytest.fixture
def luck() -> np.random.Generator:
    return np.random.default_rng(0)


def test_arrays_are_read_as_they_are(sets, luck, tmp_path):
    x, y = luck.integers(256, size=(5, 16, 16), dtype=np.uint8), np.array([3, 0, 9, 0, 1], dtype=np.uint8)
    (tmp_path / "usps").mkdir()
    np.savez(tmp_path / "usps" / "usps.npz", x_train=x[:3], y_train=y[:3], x_test=x[3:], y_test=y[3:])
    found = sets.data_set("usps", tmp_path)
    assert np.array_equal(found.train.x.numpy(), x[:3])
    assert names(found.train) == ["3", "0", "9"]
    assert names(found.test) == ["0", "1"]


@pytest.mark.parametrize(("name", "prefix"), [("svhn", ""), ("syn_numbers", "synth_")])
def test_in_matlab_files_pictures_come_last_and_ten_is_nought(sets, luck, tmp_path, name, prefix):
    x = luck.integers(256, size=(4, 32, 32, 3), dtype=np.uint8)
    (tmp_path / name).mkdir()
    for part, y in (("train", [10, 1, 9, 2]), ("test", [4, 10, 10, 3])):
        told = {"X": x.transpose(1, 2, 3, 0), "y": np.array(y, dtype=np.uint8)[:, None]}
        scipy.io.savemat(tmp_path / name / f"{prefix}{part}_32x32.mat", told)
    found = sets.data_set(name, tmp_path)
    assert np.array_equal(found.train.x.numpy(), x)
    assert names(found.train) == ["0", "1", "9", "2"]
    assert names(found.test) == ["4", "0", "0", "3"]


def test_signs_are_cut_to_their_boxes(sets, tmp_path):
    within = tmp_path / "gtsrb" / "GTSRB"
    for c in (0, 14):
        folder = within / "Final_Training" / "Images" / f"{c:05}"
        folder.mkdir(parents=True)
        framed(folder / "00000_00000.ppm", inside=(10 * c, 200, 50))
        (folder / f"GT-{c:05}.csv").write_text(f"{HEADER}\n00000_00000.ppm;30;28;5;6;24;21;{c}\n")
    folder = within / "Final_Test" / "Images"
    folder.mkdir(parents=True)
    framed(folder / "00000.ppm", inside=(7, 7, 7))
    (tmp_path / "gtsrb" / "GT-final_test.csv").write_text(f"{HEADER}\n00000.ppm;30;28;5;6;24;21;14\n")
    found = sets.data_set("gtsrb", tmp_path)
    assert found.train.x.shape == (2, sets.SIGN, sets.SIGN, 3)
    assert (found.train.x[1] == found.train.x.new_tensor([140, 200, 50])).all()
    assert (found.test.x == 7).all()
    assert names(found.train) == ["0", "14"]
    assert names(found.test) == ["14"]


def framed(file: Path, inside: tuple[int, int, int]) -> None:
    """A picture of 30 × 28 pixels, white around a box from (5, 6) to (24, 21), both corners in it."""
    picture = np.full((28, 30, 3), 255, dtype=np.uint8)
    picture[6:22, 5:25] = inside
    Image.fromarray(picture).save(file)


def test_drawn_signs_are_read_from_their_list(sets, luck, tmp_path):
    folder = tmp_path / "syn_signs" / "train"
    folder.mkdir(parents=True)
    x = luck.integers(256, size=(2, sets.SIGN, sets.SIGN, 3), dtype=np.uint8)
    for i in range(2):
        Image.fromarray(x[i]).save(folder / f"{i}.png")
    (tmp_path / "syn_signs" / "train_labelling.txt").write_text("1.png 42 \n0.png 3 \n\n")
    found = sets.data_set("syn_signs", tmp_path)
    assert np.array_equal(found.train.x.numpy(), x[::-1])
    assert names(found.train) == ["42", "3"]


@pytest.mark.parametrize("name", ["mnist", "svhn", "gtsrb", "syn_signs"])
def test_what_is_not_there_is_named(sets, tmp_path, name):
    with pytest.raises(FileNotFoundError, match=name):
        sets.data_set(name, tmp_path)


def names(domain) -> list[str]:
    return [domain.classes.names[c] for c in domain.labels.tolist()]
