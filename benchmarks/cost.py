"""What `compare` costs: processor seconds and memory against samples and against classes.

    python benchmarks/cost.py --quick
    python benchmarks/cost.py

Rows of 64 numbers in ten classes, photos (all there are, seen by MobileNetV2 0.35 at 128 pixels), and 4,000
rows in 2 to 1,000 classes, each compared as `regraft fit` does without a budget, in a process of its own on
one thread. The exponent is the slope of log seconds in log samples, by least squares; memory is by how much
the process grew, the samples included. `slope` is of the rows, `peak_mib` of the largest run of all.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

import regraft as rg
from apart import apart
from data import PHOTOS, pacs, photos, smaller, weights
from record import record
from regraft.engine import Engine, keep_freed_memory
from regraft.readers import image_files
from setting import setting, table

ROWS, IMAGES, CLASSES = (1_000, 10_000, 100_000), (200, 1_000, 4_000), (2, 10, 100, 1_000)
WIDTH, IN_CLASSES, SIDE = 64, 4_000, 128


@dataclass(frozen=True)
class Cost:
    """Of one comparison."""

    samples: int
    classes: int
    seconds: float
    mib: float
    score: float


def cost(study: Callable[[], rg.Study]) -> Cost:
    """What the study and its model cost."""

    def work() -> tuple[int, int, float, float]:
        keep_freed_memory()
        start = time.process_time()
        made = study()
        made.model  # noqa: B018 (fitted when it is first asked for)
        seconds = time.process_time() - start
        score = made.handed_over.scores.value("accuracy")
        return len(made.labelled), made.labelled.classes.width, seconds, score

    (samples, classes, seconds, score), mib = apart(work)
    return Cost(samples, classes, seconds, mib, score)


def of_rows(n: int, classes: int) -> rg.Study:
    """Rows around class means that overlap a little."""
    luck = torch.Generator().manual_seed(0)
    y = torch.arange(n) % classes
    x = torch.randn(n, WIDTH, generator=luck) + 0.6 * torch.randn(classes, WIDTH, generator=luck)[y]
    output = rg.Classes(tuple(f"{c:04}" for c in range(classes)))
    return rg.compare(rg.Problem(target_labelled=rg.Domain(x, y, output)))


def of_images(paths: list[Path], start: Path) -> rg.Study:
    """Photos, from the files on."""
    labelled = rg.Domain(image_files(paths), [path.parent.name for path in paths])
    backbone = rg.open_backbone(weights=start)
    training = rg.Training(engine=Engine(channels_last=True))
    return rg.compare(rg.Problem(target_labelled=labelled), backbone=backbone, training=training)


def all_photos(folder: Path) -> list[Path]:
    """Every photo there is, in an order that mixes them."""
    folders = [side for name in PHOTOS for side in photos(name, folder)]
    folders += [pacs(domain, folder) for domain in ("photo", "art_painting", "cartoon")]
    paths = sorted(path for one in folders for path in one.rglob("*.jpg"))
    return [paths[i] for i in np.random.default_rng(0).permutation(len(paths))]


def slope(costs: list[Cost]) -> float:
    """The exponent of the seconds in the number of samples."""
    return float(np.polyfit(np.log([c.samples for c in costs]), np.log([c.seconds for c in costs]), 1)[0])


def rows_of(name: str, costs: list[Cost]) -> list[list[str]]:
    return [
        [name, f"{c.samples:,}", f"{c.classes:,}", f"{c.seconds:.1f}", f"{c.mib:.0f}", f"{c.score:.3f}"]
        for c in costs
    ]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--quick", action="store_true", help="a tenth of everything")
    ask.add_argument("--folder", type=Path, help="where photos are unpacked; a temporary one otherwise")
    options = ask.parse_args()
    torch.set_num_threads(1)  # also what makes it safe to fork: no thread is left behind
    part = 10 if options.quick else 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        paths, start = all_photos(folder), smaller(weights("0.35"), SIDE, folder / "weights")
        by_rows = [cost(partial(of_rows, n // part, 10)) for n in ROWS]
        by_images = [cost(partial(of_images, paths[: n // part], start)) for n in IMAGES]
        by_classes = [cost(partial(of_rows, IN_CLASSES // part, k)) for k in CLASSES if k <= 1000 // part]
    header = ["samples are", "samples", "classes", "seconds", "MiB", "accuracy"]
    everything = [*by_rows, *by_images, *by_classes]
    text = "\n".join(
        [
            table(
                header,
                rows_of("rows", by_rows) + rows_of("photos", by_images) + rows_of("rows", by_classes),
            ),
            "",
            f"Exponent of the seconds in the number of photos: {slope(by_images):.2f}.",
            "",
            f"slope: {slope(by_rows):.2f}",
            f"peak_mib: {max(c.mib for c in everything):.0f}",
        ]
    )
    if not options.quick:
        record("cost", f"## Cost\n\n`benchmarks/cost.py`, {setting()}\n\n{text}")
    print(text)


if __name__ == "__main__":
    main()
