"""Numbers and several labels: how good, whether borrowing pays, and whether the intervals hold.

Tables: three multi-target tables (Mulan's), two thirds fitted and the rest tested on, against scikit-learn's
RidgeCV on the same rows. Boxes: where in a photo the raccoon is (centre and size of its box, as shares of the
picture), by MobileNetV2 and by raw pixels. Mosaics: four handwritten digits in one picture, which digits
occur, with a share of the labels hidden; by a network that has only seen printed letters, and by raw pixels.

--intervals: instead, how often the intervals of R² hold the truth, which thousands of further samples tell,
and how often the bound of a gain lies above it, in simulated tasks."""

import argparse
import json
import tarfile
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import regraft as rg
from data import DATA, missing, weights
from record import record
from regraft.backbones import glyphs
from regraft.engine import keep_freed_memory
from regraft.selection import Study, scores_of
from setting import setting, table

TABLES = ("enb", "jura", "wq")
HIDDEN = 0.3  # of the labels of mosaics
SIMULATED = ((20, 1.0), (50, 0.3), (50, 1.0), (50, 3.0), (200, 1.0))  # samples, noise over signal


def tables(draws: int) -> tuple[str, float]:
    """R² on the rows that were not fitted, ours and RidgeCV's; and the mean difference."""
    lines, gained = [], []
    for name in TABLES:
        file = DATA / "multi_target" / f"{name}.npz"
        if not file.is_file():
            missing(f"{file} is not there")
        held = np.load(file)
        x, y, names = held["x"].astype(float), held["y"].astype(float), tuple(map(str, held["names_y"]))
        ours, theirs, chosen = [], [], []
        for seed in range(draws):
            order = np.random.default_rng(seed).permutation(len(x))
            fitted, tested = order[: 2 * len(x) // 3], order[2 * len(x) // 3 :]
            study = rg.compare(rg.Problem(target_labelled=rg.Domain(x[fitted], y[fitted], rg.Real(names))))
            ours.append(r2_score(y[tested], np.reshape(study.model.predict(x[tested]), (len(tested), -1))))
            peer = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-4, 4, 17), alpha_per_target=True))
            theirs.append(r2_score(y[tested], peer.fit(x[fitted], y[fitted]).predict(x[tested])))
            chosen.append(study.handed_over.candidate.name)
        gained.append(np.mean(ours) - np.mean(theirs))
        usual = max(set(chosen), key=chosen.count)
        told = [f"{np.mean(values):.3f}" for values in (ours, theirs)]
        lines.append([f"{name}, {len(x)} rows, {len(names)} numbers", *told, usual])
    return table(["table", "Regraft", "RidgeCV", "usually handed over"], lines), float(np.mean(gained))


def boxes(folder: Path) -> Study:
    """The comparison for where the raccoon is, with the photos of the test split read at the end."""
    if not (DATA / "raccoon" / "raccoon.tar").is_file():
        missing("the raccoon photos are not there")
    with tarfile.open(DATA / "raccoon" / "raccoon.tar") as packed:
        packed.extractall(folder, filter="data")
    root = next(folder.rglob("*.jpg")).parent
    told = json.loads((DATA / "raccoon" / "boxes.json").read_text())
    for split in ("train", "test"):
        rows = ["file,across,down,width,height"]
        for name, photo in sorted(told.items()):
            if photo["split"] == split and len(photo["objects"]) == 1:
                left, top, right, bottom = photo["objects"][0]["box"]
                w, h = photo["width"], photo["height"]
                shares = (
                    (left + right) / 2 / w,
                    (top + bottom) / 2 / h,
                    (right - left) / w,
                    (bottom - top) / h,
                )
                rows.append(",".join([name, *(f"{share:.4f}" for share in shares)]))
        (folder / f"{split}.csv").write_text("\n".join(rows))

    def photos(split: str) -> rg.Domain:
        return rg.read_images(root, labels=folder / f"{split}.csv", label="across,down,width,height")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = rg.open_backbone("mobilenetv2_100", weights=weights("1.0"))
        study = rg.compare(rg.Problem(target_labelled=photos("train")), backbone=network)
        study.read_test(photos("test"))
    return study


def mosaics(n: int, digits: np.ndarray, images: np.ndarray, random: np.random.Generator) -> rg.Domain:
    """Pictures of 2×2 digits, 32×32 pixels, and which digits occur in each."""
    picked = random.integers(len(images), size=(n, 4))
    tiles = np.repeat(np.repeat(images[picked], 2, 2), 2, 3)  # n 4 16 16
    whole = tiles.reshape(n, 2, 2, 16, 16).swapaxes(2, 3).reshape(n, 32, 32)
    occurs = np.zeros((n, 10))
    for row, four in enumerate(digits[picked]):
        occurs[row, four] = 1
    return rg.Domain(whole, occurs, rg.MultiLabel(tuple("0123456789")))


def digits_in_mosaics(labelled: int) -> Study:
    """The comparison for which digits occur, and a test on mosaics of other digits."""
    data, random = load_digits(), np.random.default_rng(0)
    images = np.round(data.images * (255 / 16)).astype(np.uint8)
    seen = mosaics(labelled, data.target[:900], images[:900], random)
    known = torch.from_numpy(random.random(seen.y.shape) > HIDDEN)
    study = rg.compare(rg.Problem(target_labelled=seen.with_(observed=known)), backbone=glyphs())
    study.read_test(mosaics(1000, data.target[900:], images[900:], random))
    return study


def of_study(name: str, study: Study) -> list[list[str]]:
    """A line for the best row that borrows, and one for the best that does not."""
    lines = []
    for borrows in (True, False):
        rows = [r for r in study.results if r.candidate.borrows == borrows]
        best = max(rows, key=lambda r: r.scores.value(study.metric))
        kept = best is study.handed_over
        on_test = str(study.test.interval(study.metric)) if kept and study.test else "—"
        lines.append([f"{name}: {best.candidate.name}", str(best.scores.interval(study.metric)), on_test])
    return lines


def intervals(tasks: int) -> str:
    """Shares of simulated tasks in which the interval of R² holds the truth, and a bound is too high."""
    lines = []
    for n, noise in SIMULATED:
        held = above = 0
        for seed in range(tasks):
            random = np.random.default_rng(seed)
            direction = random.normal(size=6) / 6**0.5

            def drawn(
                m: int, random: np.random.Generator = random, w: np.ndarray = direction, noise: float = noise
            ) -> tuple[np.ndarray, np.ndarray]:
                x = random.normal(size=(m, 6))
                return x, x @ w + noise * random.normal(size=m)

            x, y = drawn(n)
            fresh, truth = drawn(20_000)
            found = {}
            for name, columns in (("all", slice(6)), ("half", slice(3)), ("rest", slice(3, 6))):
                labelled = rg.Domain(x[:, columns], y, rg.Real())
                said = torch.zeros(1, n, 1, dtype=torch.float64)
                for rows in rg.CrossValidation(repeats=1).splits(labelled)[0]:
                    others = np.setdiff1d(np.arange(n), rows.numpy())
                    said[0, rows, 0] = torch.from_numpy(
                        ridge(x[others, columns], y[others])(x[rows, columns])
                    )
                real = r2_score(truth, ridge(x[:, columns], y)(fresh[:, columns]))
                found[name] = scores_of(said, labelled, overlap=0.25), real
            scores, real = found["all"]
            interval = scores.interval("r2")
            held += interval.low <= real <= interval.high
            (ours, one), (theirs, other) = found["half"], found["rest"]
            above += ours.gain_over(theirs, "r2").low > one - other
        lines.append([f"{n} samples, noise {noise:g}", f"{held / tasks:.3f}", f"{above / tasks:.3f}"])
    return table(["task", "intervals that hold R²", "bounds above the gain"], lines)


def ridge(x: np.ndarray, y: np.ndarray):  # type: ignore[no-untyped-def]
    """Least squares with α = 1, as a function."""
    mean, w = x.mean(0), None
    centred = x - mean
    w = np.linalg.solve(centred.T @ centred + np.eye(x.shape[1]), centred.T @ (y - y.mean()))
    return lambda z: (z - mean) @ w + y.mean()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--draws", type=int, default=5)
    options.add_argument("--labelled", type=int, default=300, help="mosaics")
    options.add_argument("--intervals", action="store_true")
    options.add_argument("--tasks", type=int, default=400)
    asked = options.parse_args()
    keep_freed_memory()
    if asked.intervals:
        text = f"{intervals(asked.tasks)}\n\n{asked.tasks} simulated tasks a line, five folds of a ridge."
        print(text)
        record("outputs_intervals", f"## Intervals of R²\n\n`benchmarks/outputs.py --intervals`\n\n{text}")
        return
    of_tables, gained = tables(asked.draws)
    with tempfile.TemporaryDirectory() as folder:
        raccoons = boxes(Path(folder))
    occurring = digits_in_mosaics(asked.labelled)
    lines = of_study("box of the raccoon, R²", raccoons) + of_study(
        f"digits in {asked.labelled} mosaics, label accuracy", occurring
    )
    text = "\n\n".join(
        [
            of_tables,
            f"R² on rows that were not fitted, means of {asked.draws} draws.",
            table(["task: the best that borrows, and that does not", "held out", "on test"], lines),
            f"{raccoons.sentence()}\n{occurring.sentence()}",
            f"r2_over_ridge: {gained:+.3f}",
        ]
    )
    print(text)
    record("outputs", f"## Numbers and several labels\n\n`benchmarks/outputs.py`, {setting()}\n\n{text}")


if __name__ == "__main__":
    main()
