"""What `regraft doctor` finds: copies of photos, by what was done to them, and labels that were made wrong.

    python benchmarks/duplicates.py --quick
    python benchmarks/duplicates.py

Every photo is copied in every way, and a copy is found if the pair is among `near_copies` of all photos and
their copies of that kind. The thresholds were chosen on ants and bees, and caltech20 measures them; there are
copies among its own photos, which were told from merely similar ones by eye (`DIFFERENT`). Handwritten
digits, all different, are the hardest to keep apart. For comparison the same photos are looked up by the
cosine of MobileNetV2 0.35's features, at the threshold that no different pair of ants and bees reaches.
`recall` is the lowest of re-encoded, resized and mirrored copies, in % of caltech20's photos.
"""

import argparse
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from sklearn.datasets import load_digits
from torch.nn.functional import normalize

import regraft as rg
from data import PHOTOS, photos, weights
from record import record
from regraft.backbones import pixels
from regraft.doctor.labels import suspects
from regraft.doctor.likeness import near_copies
from regraft.engine import keep_freed_memory
from regraft.features import Store, embed
from regraft.readers import image_files
from regraft.selection.opinion import opinion
from setting import setting, table

CHOSEN_ON, MEASURED_ON = PHOTOS
DIFFERENT = {("yin_yang/image_0001.jpg", "yin_yang/image_0017.jpg")}  # two drawings of the same sign
FLIPPED, DRAWS = 0.05, 3
Picture = Image.Image


def jpeg(image: Picture, quality: int = 85) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def scaled(image: Picture, share: float) -> Picture:
    size = max(1, round(image.width * share)), max(1, round(image.height * share))
    return image.resize(size, Image.Resampling.BICUBIC)


def cropped(image: Picture, i: int) -> Picture:
    """19/20 of the width and of the height, at one of five places."""
    dx, dy = round(image.width / 20), round(image.height / 20)
    left, top = [(0, 0), (dx, 0), (0, dy), (dx, dy), (dx // 2, dy // 2)][i % 5]
    return image.crop((left, top, left + image.width - dx, top + image.height - dy))


def lit(image: Picture, i: int) -> Picture:
    return ImageEnhance.Brightness(image).enhance((0.7, 1.3)[i % 2])


# what was done -> (the copy of photo number i as a file, whether `recall` counts it)
KINDS: dict[str, tuple[Callable[[Picture, int], bytes], bool]] = {
    "JPEG, quality 30": (lambda image, i: jpeg(image, 30), True),
    "JPEG, quality 60": (lambda image, i: jpeg(image, 60), True),
    "JPEG, quality 95": (lambda image, i: jpeg(image, 95), True),
    "resized to 50 %": (lambda image, i: jpeg(scaled(image, 0.5)), True),
    "resized to 75 %": (lambda image, i: jpeg(scaled(image, 0.75)), True),
    "mirrored": (lambda image, i: jpeg(ImageOps.mirror(image)), True),
    "mirrored, 50 %, quality 60": (lambda image, i: jpeg(ImageOps.mirror(scaled(image, 0.5)), 60), True),
    "brightness 70 or 130 %": (lambda image, i: jpeg(lit(image, i)), False),
    "5 % cropped off": (lambda image, i: jpeg(cropped(image, i)), False),
}


class Originals:
    """The photos of a set, and how they are looked up."""

    def __init__(self, name: str, folder: Path, every: int) -> None:
        self.paths = sorted(file for part in photos(name, folder) for file in part.rglob("*.jpg"))[::every]
        self.network = rg.open_backbone(weights=weights("0.35"))
        self.looks = self._looks(self.paths)
        self.features = self._features(self.paths)

    def found(self, kind: str, folder: Path, cosine: float) -> tuple[float, float]:
        """The share of copies that are found by pixels, and by features above this cosine."""
        files = []
        for i, path in enumerate(self.paths):
            with Image.open(path) as image:
                files.append(folder / f"{i:05}.jpg")
                files[-1].write_bytes(KINDS[kind][0](image.convert("RGB"), i))
        n = len(files)
        pairs = near_copies(torch.cat([self.looks, self._looks(files)]))
        same = (self.features * self._features(files)).sum(1)
        return int((pairs[:, 1] - pairs[:, 0] == n).sum()) / n, float((same > cosine).double().mean())

    def pairs(self) -> list[tuple[str, str]]:
        """The pairs that are found among the photos themselves."""
        names = [f"{path.parent.name}/{path.name}" for path in self.paths]
        return [tuple(sorted((names[i], names[j]))) for i, j in near_copies(self.looks).tolist()]

    def cosines(self) -> torch.Tensor:
        """How near the features of every photo are to those of another."""
        return (self.features @ self.features.T).fill_diagonal_(-1).amax(1)

    @staticmethod
    def _looks(files: list[Path]) -> torch.Tensor:
        return pixels().preprocessing(image_files(files))

    def _features(self, files: list[Path]) -> torch.Tensor:
        return normalize(embed(self.network, rg.Domain(image_files(files))).x.flatten(1).float(), dim=1)


def copies(folder: Path, every: int) -> tuple[str, float]:
    """The table of what is found, with what is found wrongly, and the figure."""
    sets = {name: Originals(name, folder, every) for name in PHOTOS}
    cosine = float(sets[CHOSEN_ON].cosines().max())
    rows, worst = [], 1.0
    for kind, (_, counts) in KINDS.items():
        shares = {name: at.found(kind, folder, cosine) for name, at in sets.items()}
        rows.append([kind, *(f"{100 * share:.1f}" for name in PHOTOS for share in shares[name])])
        if counts:
            worst = min(worst, shares[MEASURED_ON][0])
    header = ["copies", *(f"{name}, {way}" for name in PHOTOS for way in ("pixels", "features"))]
    lines = [table(header, rows), ""]
    for name, at in sets.items():
        found = at.pairs()
        wrong = {one for pair in found if pair in DIFFERENT for one in pair}
        lines.append(
            f"{name}: {len(at.paths)} photos, {len(found)} pairs among themselves, "
            f"{len(wrong)} photos ({len(wrong) / len(at.paths):.2%}) wrongly in one.".replace("%", " %")
        )
    digits = torch.from_numpy(np.round(load_digits().images * (255 / 16)).astype(np.uint8))
    flagged = near_copies(pixels().preprocessing(digits)).unique()
    lines.append(
        f"Handwritten digits of 8×8 pixels: {len(flagged)} of {len(digits)} wrongly in a pair.\n"
        f"By features, above a cosine of {cosine:.3f}: "
        f"{int((sets[MEASURED_ON].cosines() > cosine).sum())} photos of {MEASURED_ON} in a pair."
    )
    return "\n".join(lines), 100 * worst


def label_errors(folder: Path, labels: tuple[int, ...]) -> str:
    """How well wrong labels are told, out of labels of which a share was made wrong."""
    network, store, rows = rg.open_backbone(weights=weights("0.35")), Store(), []
    for name in PHOTOS:
        whole = rg.read_images(photos(name, folder)[0])
        k = whole.classes.width
        for per_class in labels:
            hit = said = wrong = 0
            for seed in range(DRAWS):
                luck = torch.Generator().manual_seed(seed)
                order = torch.randperm(len(whole), generator=luck)
                drawn = torch.cat([order[whole.labels[order] == c][: per_class or None] for c in range(k)])
                y = whole.labels[drawn].clone()
                flipped = torch.randperm(len(y), generator=luck)[: round(FLIPPED * len(y))]
                y[flipped] = (y[flipped] + torch.randint(1, k, (len(flipped),), generator=luck)) % k
                told = opinion(whole[drawn].with_(y=y), network, rg.Training(), store)
                assert told is not None
                found, _ = suspects(told[0], y, told[1])
                hit += int(torch.isin(found, flipped).sum())
                said, wrong = said + len(found), wrong + len(flipped)
            cell = f"{name}, {per_class or 'all'} a class"
            rows.append([cell, str(wrong), str(said), f"{hit / max(said, 1):.2f}", f"{hit / wrong:.2f}"])
    return table(["photos, labels", "labels made wrong", "reported", "precision", "recall"], rows)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--quick", action="store_true", help="every eighth photo, and 10 labels a class")
    options = ask.parse_args()
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        found, recall = copies(Path(folder), every=8 if options.quick else 1)
        errors = label_errors(Path(folder), (10,) if options.quick else (10, 30, 0))
    text = (
        f"Copies found, in %:\n\n{found}\n\nLabels, {FLIPPED:.0%} of them made wrong, {DRAWS} draws "
        f"together, judged on MobileNetV2 0.35:\n\n{errors}\n\nrecall: {recall:.1f}"
    ).replace("5% of", "5 % of")
    if not options.quick:
        record(
            "duplicates", f"## Copies and wrong labels\n\n`benchmarks/duplicates.py`, {setting()}\n\n{text}"
        )
    print(text)


if __name__ == "__main__":
    main()
