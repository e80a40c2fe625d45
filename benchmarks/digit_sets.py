"""Digits and traffic signs as the archives hold them that everybody uses for adaptation.

mnist/mnist.npz, mnist_m/mnist_m.npz, usps/usps.npz       x_train, y_train, x_test, y_test
svhn/train_32x32.mat, test_32x32.mat                      ufldl.stanford.edu/housenumbers, cropped digits
syn_numbers/synth_train_32x32.mat, synth_test_32x32.mat   Ganin & Lempitsky's SynNumbers
gtsrb/GTSRB/Final_Training/Images/00000/GT-00000.csv ...  benchmark.ini.rub.de, with the pictures beside
gtsrb/GTSRB/Final_Test/Images, gtsrb/GT-final_test.csv
syn_signs/train_labelling.txt, syn_signs/train/*.png      Moiseev's synthetic signs; no test part
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.io
import torch
from PIL import Image

import regraft as rg

SIGN = 40  # pixels a side to which signs are brought, as in Ganin et al., JMLR 2016


@dataclass(frozen=True)
class DataSet:
    """What to learn from, and what scores; of a set that is no target, the same."""

    train: rg.Domain
    test: rg.Domain


def data_set(name: str, within: Path) -> DataSet:
    """The set of that name, from its folder within another; `FileNotFoundError` where it is not there."""
    return READERS[name](within / name)


def arrays(folder: Path) -> DataSet:
    """Pictures in a NumPy archive that bears the folder's name."""
    with np.load(folder / f"{folder.name}.npz") as saved:
        return DataSet(*(domain(saved[f"x_{part}"], saved[f"y_{part}"]) for part in ("train", "test")))


def matrices(train: str, test: str) -> Callable[[Path], DataSet]:
    """Pictures in two MATLAB files: X, 32 × 32 × 3 × n, and y, where 10 may stand for the digit 0."""

    def read(folder: Path) -> DataSet:
        found = [scipy.io.loadmat(str(folder / name), variable_names=("X", "y")) for name in (train, test)]
        return DataSet(*(domain(np.moveaxis(each["X"], 3, 0), each["y"].ravel() % 10) for each in found))

    return read


def gtsrb(folder: Path) -> DataSet:
    """Photographs of signs, each cut to the box that a table gives it."""
    tables = sorted((folder / "GTSRB" / "Final_Training" / "Images").glob("*/GT-*.csv"))
    if not tables:
        raise FileNotFoundError(folder / "GTSRB" / "Final_Training" / "Images" / "00000" / "GT-00000.csv")
    train = [row for table in tables for row in boxed(table, table.parent)]
    test = boxed(folder / "GT-final_test.csv", folder / "GTSRB" / "Final_Test" / "Images")
    return DataSet(signs(train), signs(list(test)))


def syn_signs(folder: Path) -> DataSet:
    """Drawn signs, listed as a file and a class a line."""
    lines = (folder / "train_labelling.txt").read_text().splitlines()
    listed = [line.split()[:2] for line in lines if line.strip()]
    all_of_it = signs([(opened(folder / "train" / Path(file).name), int(y)) for file, y in listed])
    return DataSet(all_of_it, all_of_it)


def boxed(table: Path, pictures: Path) -> Iterator[tuple[Image.Image, int]]:
    """The boxes of a table of GTSRB, cut out, and their classes."""
    with table.open(newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            left, top, right, bottom = (int(row[f"Roi.{side}"]) for side in ("X1", "Y1", "X2", "Y2"))
            # the corners of a box belong to it
            cut = opened(pictures / row["Filename"]).crop((left, top, right + 1, bottom + 1))
            yield cut, int(row["ClassId"])


def opened(file: Path) -> Image.Image:
    with Image.open(file) as image:
        return image.convert("RGB")


def signs(listed: list[tuple[Image.Image, int]]) -> rg.Domain:
    """Signs of all sizes, brought to one."""
    squashed = [np.asarray(image.resize((SIGN, SIGN), Image.Resampling.BILINEAR)) for image, _ in listed]
    return domain(np.stack(squashed), np.array([y for _, y in listed]))


def domain(x: np.ndarray, y: np.ndarray) -> rg.Domain:
    """Pictures as bytes, n × height × width (× 3), with their classes as names."""
    return rg.Domain(torch.from_numpy(np.ascontiguousarray(x)), y.astype(int).astype(str))


READERS: dict[str, Callable[[Path], DataSet]] = {
    "mnist": arrays,
    "mnist_m": arrays,
    "usps": arrays,
    "svhn": matrices("train_32x32.mat", "test_32x32.mat"),
    "syn_numbers": matrices("synth_train_32x32.mat", "synth_test_32x32.mat"),
    "gtsrb": gtsrb,
    "syn_signs": syn_signs,
}
