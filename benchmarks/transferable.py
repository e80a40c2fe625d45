"""The A-n-B experiment on halves of CIFAR-10's classes, with a small network.

    python benchmarks/transferable.py --quick

Yosinski et al. (2014) split the classes of ImageNet at random and copied the first n layers of a network that
was trained on half A, or on half B itself, into one that learns B. Their signature: with the copies frozen
(AnB) accuracy falls with depth, with the copies tuned (AnB+) it does not. `anb_fall` and `anb_plus_fall` are
the points lost from the first cut to the last.
"""

import argparse
import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import regraft as rg
from data import DATA, there
from record import record
from regraft.backbones import small_convnet
from regraft.engine import keep_freed_memory
from regraft.progress import Bars
from regraft.transferability import CURVES, Transferability, reading
from setting import setting, table

WIDTH, DEPTH, RATE, BATCH = 8, 5, 3e-3, 32


def cifar10(each: int) -> rg.Domain:
    """So many training images of every class."""
    saved = np.load(there(DATA / "cifar10" / "cifar10.npz"))
    y = saved["y_train"]
    rows = np.sort(np.concatenate([np.flatnonzero(y == c)[:each] for c in range(10)]))
    jpeg, at = saved["jpeg_train"], saved["offset_train"]
    images = [Image.open(io.BytesIO(jpeg[at[i] : at[i + 1]].tobytes())) for i in rows]
    names = [str(name) for name in saved["classes"]]
    return rg.Domain(np.stack([np.asarray(image) for image in images]), [names[c] for c in y[rows]])


def numbers(found: Transferability) -> str:
    """A row for every cut, a column for every curve."""
    rows = [[name, *map(str, line), *[""] * (len(CURVES) - len(line))] for name, line in found.lines.items()]
    return table(["copied up to", *CURVES], rows)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--quick", action="store_true", help="two repeats with fewer images and steps")
    ask.add_argument("--repeats", type=int, default=5, help="splits of the classes")
    ask.add_argument("--each", type=int, default=2000, help="images of every class")
    ask.add_argument("--steps", type=int, default=600, help="for every network")
    ask.add_argument("--checkpoints", type=Path, help="where networks are kept, to be found again")
    ask.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = ask.parse_args()
    keep_freed_memory()
    torch.set_num_threads(options.threads)
    found = rg.transferable(
        cifar10(200 if options.quick else options.each),
        backbone=small_convnet(width=WIDTH, depth=DEPTH),
        halves=True,
        repeats=2 if options.quick else options.repeats,
        steps=80 if options.quick else options.steps,
        batch_size=BATCH,
        rate=RATE,
        training=rg.Training(checkpoints=options.checkpoints, progress=Bars()),
    )
    falls = {name: found.fall(name) for name in ("AnB", "AnB+")}
    lost = {name: fall.points().replace("+", "") for name, fall in falls.items()}
    told = "\n".join(
        [
            found.setting,
            "",
            numbers(found),
            "",
            *(f"- {sentence}" for sentence in reading(found)),
            f"- From the first cut to the last AnB loses {lost['AnB']}, AnB+ {lost['AnB+']}.",
            "",
            f"anb_fall: {100 * falls['AnB'].value:.1f}",
            f"anb_plus_fall: {100 * falls['AnB+'].value:.1f}",
        ]
    )
    if not options.quick:
        asked = f"--each {options.each} --repeats {options.repeats} --steps {options.steps}"
        how = f"`benchmarks/transferable.py {asked}`, {setting()}"
        record("transferable", f"## How transferable are features\n\n{how}\n\n{told}")
    print(told)


if __name__ == "__main__":
    main()
