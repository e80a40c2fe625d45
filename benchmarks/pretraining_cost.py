"""What pretraining costs, from 1,000 to 50,000 pictures: seconds a picture, and memory.

    python benchmarks/pretraining_cost.py --pictures 1000,5000
    python benchmarks/pretraining_cost.py

JPEG files of 64 × 64 pixels, drawn here (ellipses of any colour on a ground of noise), from the folder to the
backbone by one pass of a task over all of them, each in a process of its own on one thread. Memory is by how
much the process grew at the most; what is kept of a picture for training are its pixels, 12 KiB. `seconds` is
of a picture of the largest pool, all that SimCLR does with it included; `mib` is the memory that this takes.
"""

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

import regraft as rg
from apart import apart
from record import record
from regraft.engine import keep_freed_memory
from setting import setting, table

PICTURES, SIDE = (1_000, 5_000, 20_000, 50_000), 64
TASKS = ("Rotation", "SimCLR")


@dataclass(frozen=True)
class Cost:
    """Of one pass of a task over so many pictures, their reading included."""

    task: str
    pictures: int
    seconds: float
    mib: float


def drawn(folder: Path, n: int) -> Path:
    """A folder of at least n pictures; those that are there stay."""
    folder.mkdir(exist_ok=True)
    for i in range(n):
        file = folder / f"{i:06}.jpg"
        if file.is_file():
            continue
        luck = np.random.default_rng(i)
        image = Image.fromarray(luck.integers(96, 160, (SIDE, SIDE, 3), dtype=np.uint8))
        pen = ImageDraw.Draw(image)
        for _ in range(4):
            left, top = luck.integers(0, SIDE - 16, 2).tolist()
            width, height = luck.integers(8, 40, 2).tolist()
            pen.ellipse(
                (left, top, left + width, top + height), fill=tuple(luck.integers(0, 256, 3).tolist())
            )
        image.save(file, quality=85)
    return folder


def cost(folder: Path, task: str, n: int) -> Cost:
    """Of the first n pictures of the folder."""

    def work() -> float:
        keep_freed_memory()
        start = time.process_time()
        pool = rg.read_images(sorted(folder.glob("*.jpg"))[:n])
        once: dict[str, Any] = {"epochs": 1, "least_steps": 1}
        recipe = replace(rg.PRETEXTS[task](), **once)
        rg.pretrain(pool, recipe)
        return time.process_time() - start

    seconds, mib = apart(work)
    return Cost(task, n, seconds, mib)


def report(costs: list[Cost]) -> str:
    rows = [
        [
            c.task,
            f"{c.pictures:,}",
            f"{c.seconds:.0f}",
            f"{1000 * c.seconds / c.pictures:.1f}",
            f"{c.mib:.0f}",
            f"{1024 * c.mib / c.pictures:.0f}",
        ]
        for c in costs
    ]
    header = ["task", "pictures", "seconds", "ms each", "MiB", "KiB each"]
    largest = next(c for c in reversed(costs) if c.task == TASKS[-1])
    return "\n".join(
        [
            table(header, rows),
            "",
            "Seconds are a processor's, on one thread.",
            "",
            f"mib: {largest.mib:.0f}",
            f"seconds: {largest.seconds / largest.pictures:.4f}",
        ]
    )


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--pictures", default=",".join(map(str, PICTURES)))
    ask.add_argument("--processes", type=int, default=1, help="how many are measured at once")
    asked = ask.parse_args()
    pictures = [int(n) for n in asked.pictures.split(",")]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = drawn(Path(temporary) / "pool", max(pictures))
        jobs = [(task, n) for task in TASKS for n in pictures]
        with ThreadPoolExecutor(asked.processes) as at_once:
            done = {job: at_once.submit(cost, folder, *job) for job in sorted(jobs, key=lambda job: -job[1])}
            costs = [done[job].result() for job in jobs]
    text = report(costs)
    print(text)
    if tuple(pictures) == PICTURES:
        told = f"## What pretraining costs\n\n`benchmarks/pretraining_cost.py`, {setting()}\n\n{text}"
        record("pretraining_cost", told)


if __name__ == "__main__":
    main()
